// How many heartbeats a second the registry answers, beside a server that does nothing but answer.
import { parseArgs } from 'node:util';
import { Connection } from './connection.js';
import { median, percentile, rounded } from './figures.js';
import { registerInstances } from './registry-load.js';
import { ServerProcess } from './server-process.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const instances = 100;
const results = [];
for (const connections of [1, 20]) results.push(await compare(connections));
if (values.json) console.log(JSON.stringify(results));
else console.table(results);

/** The rounds of both servers take turns, so that a busy machine is as busy for the one as for the other. */
async function compare(count) {
  const servers = {
    bare: await ServerProcess.start('bare'),
    embedded: await ServerProcess.start('embedded'),
  };
  const requests = await heartbeatsOf(servers.embedded);
  const rounds = { bare: [], embedded: [] };
  for (let round = 0; round < Number(values.rounds); round += 1)
    for (const kind of ['bare', 'embedded'])
      rounds[kind].push(await measure(servers[kind], requests, count));
  await Promise.all([servers.bare.stop(), servers.embedded.stop()]);
  return summary(count, rounds);
}

async function heartbeatsOf(server) {
  const connection = await Connection.open(server.port);
  const requests = await registerInstances([connection], instances);
  connection.close();
  return requests;
}

async function measure(server, requests, count) {
  const connections = await Promise.all(
    Array.from({ length: count }, () => Connection.open(server.port)),
  );
  await load(connections, requests, 300);
  const before = await server.usage();
  const startedAt = performance.now();
  const latencies = await load(connections, requests, Number(values.seconds) * 1000);
  const elapsedMs = performance.now() - startedAt;
  const after = await server.usage();
  for (const connection of connections) connection.close();
  return {
    perSecond: latencies.length / (elapsedMs / 1000),
    p99Ms: percentile(latencies, 99),
    cpuUs: ((after.cpuMs - before.cpuMs) * 1000) / latencies.length,
  };
}

/** Sends on each connection one heartbeat after the other; resolves with the milliseconds of each. */
async function load(connections, requests, durationMs) {
  const latencies = [];
  const endsAt = performance.now() + durationMs;
  let next = 0;
  const drive = connection =>
    new Promise((resolve, reject) => {
      const beat = () => {
        const sentAt = performance.now();
        if (sentAt >= endsAt) return resolve();
        connection.send(requests[(next += 1) % requests.length], head => {
          if (!head.startsWith('HTTP/1.1 200')) return reject(new Error(head));
          latencies.push(performance.now() - sentAt);
          beat();
        });
      };
      beat();
    });
  await Promise.all(connections.map(drive));
  return latencies;
}

function summary(connections, { bare, embedded }) {
  const of = (rounds, figure) => rounded(median(rounds.map(round => round[figure])));
  const ratios = embedded.map((round, at) => round.perSecond / bare[at].perSecond);
  return {
    connections,
    'bare /s': of(bare, 'perSecond'),
    'embedded /s': of(embedded, 'perSecond'),
    'embedded : bare': rounded(median(ratios)),
    'bare p99 ms': of(bare, 'p99Ms'),
    'embedded p99 ms': of(embedded, 'p99Ms'),
    'bare CPU µs each': of(bare, 'cpuUs'),
    'embedded CPU µs each': of(embedded, 'cpuUs'),
  };
}
