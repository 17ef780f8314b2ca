// What a find costs the registry, with few and with many instances of a provider: when the client has the
// revision already, when it gets the list, and when it gets the first list after a change.
import { parseArgs } from 'node:util';
import { Connection, requestOf } from './connection.js';
import { median, rounded } from './figures.js';
import { ServerProcess } from './server-process.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    sizes: { type: 'string', default: '1000,10000' },
    finds: { type: 'string', default: '2000' },
    lists: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const root = '/v4/default/registry';
const sizes = values.sizes.split(',').map(Number);
const server = await ServerProcess.start('embedded');
const connection = await Connection.open(server.port);
const providers = [];
for (const size of sizes) providers.push(await register(size));
await measureRound();
const rounds = [];
for (let round = 0; round < Number(values.rounds); round += 1) rounds.push(await measureRound());
connection.close();
await server.stop();
const results = sizes.map((instances, at) => ({
  instances,
  ...row('unchanged', 'CPU µs each', 1000, at),
  ...row('list', 'CPU ms each', 1, at),
  ...row('list after a change', 'CPU ms each', 1, at),
}));
if (values.json) console.log(JSON.stringify(results));
else console.table(results);

function row(kind, unit, factor, at) {
  const ratios = rounds.map(round => round[at][kind] / round[0][kind]);
  return {
    [`${kind} ${unit}`]: rounded(median(rounds.map(round => round[at][kind])) * factor),
    [`${kind} : ${sizes[0]}`]: rounded(median(ratios)),
  };
}

/** The sizes take turns, so that a busy machine is as busy for the one as for the other. */
async function measureRound() {
  const round = [];
  for (const provider of providers) round.push(await measure(provider));
  return round;
}

async function measure({ find, change }) {
  const revision = /x-resource-revision: (\w+)/i.exec(await send(find('0'), 200))[1];
  const each = async (count, act) => {
    const before = await server.usage();
    for (let at = 0; at < count; at += 1) await act();
    return ((await server.usage()).cpuMs - before.cpuMs) / count;
  };
  const [finds, lists] = [Number(values.finds), Number(values.lists)];
  const unchanged = await each(finds, () => send(find(revision), 304));
  const list = await each(lists, () => send(find('0'), 200));
  const changes = await each(lists, () => send(change, 200));
  const both = await each(lists, async () => {
    await send(change, 200);
    await send(find('0'), 200);
  });
  return { unchanged, list, 'list after a change': both - changes };
}

function send(request, status) {
  return new Promise((resolve, reject) => {
    connection.send(request, head => {
      if (head.startsWith(`HTTP/1.1 ${status}`)) resolve(head);
      else reject(new Error(head));
    });
  });
}

async function register(size) {
  const service = { serviceName: `orders-${size}`, appId: 'shop', version: '1.0.0' };
  const { serviceId } = await connection.ask('POST', `${root}/microservices`, { service });
  const path = `${root}/microservices/${serviceId}/instances`;
  for (let at = 0; at < size; at += 1)
    await connection.ask('POST', path, {
      instance: {
        instanceId: `${serviceId.slice(0, 24)}-${at}`,
        hostName: `host-${at}`,
        endpoints: [`rest://10.0.${at >> 8}.${at & 255}:8080`],
        properties: { zone: 'a', 'started-by': 'bench' },
        healthCheck: { mode: 'push', interval: 3600, times: 3 },
        dataCenterInfo: { name: 'dc', region: 'north', availableZone: 'a' },
      },
    });
  const query = `appId=shop&serviceName=orders-${size}`;
  return {
    find: revision => requestOf('GET', `${root}/instances?${query}&rev=${revision}`),
    change: requestOf('PUT', `${path}/${serviceId.slice(0, 24)}-0/status?value=UP`),
  };
}
