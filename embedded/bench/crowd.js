// 10,000 instances that send heartbeats each 15 s: what that costs the registry, and how long they wait.
// They share 100 connections, as behind a proxy, or have one each, as 10,000 processes would.
import { parseArgs } from 'node:util';
import { Connection } from './connection.js';
import { percentile, rounded } from './figures.js';
import { registerInstances } from './registry-load.js';
import { ServerProcess } from './server-process.js';

const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '10000' },
    connections: { type: 'string', default: '100,10000' },
    'interval-seconds': { type: 'string', default: '15' },
    seconds: { type: 'string', default: '45' },
    json: { type: 'boolean', default: false },
  },
});
const instances = Number(values.instances);
const perMs = instances / (Number(values['interval-seconds']) * 1000);
const results = [];
for (const count of values.connections.split(',').map(Number))
  for (const kind of ['bare', 'embedded']) results.push(await measure(kind, count));
if (values.json) console.log(JSON.stringify(results));
else console.table(results);

async function measure(kind, count) {
  const server = await ServerProcess.start(kind);
  const connections = await openMany(server.port, count);
  const requests = await requestsFor(kind, connections);
  const before = await server.usage();
  const startedAt = performance.now();
  const latencies = await beat(connections, requests, Number(values.seconds) * 1000);
  const elapsedMs = performance.now() - startedAt;
  const after = await server.usage();
  for (const connection of connections) connection.close();
  await server.stop();
  return {
    server: kind,
    connections: count,
    'beats /s': rounded(latencies.length / (elapsedMs / 1000)),
    'p50 ms': rounded(percentile(latencies, 50)),
    'p99 ms': rounded(percentile(latencies, 99)),
    'max ms': rounded(percentile(latencies, 100)),
    'CPU %': rounded(((after.cpuMs - before.cpuMs) / elapsedMs) * 100),
    'RSS MB': rounded(after.rssBytes / 1e6),
  };
}

/** The bare server knows no instances: it is asked for heartbeats of some that are made up. */
async function requestsFor(kind, connections) {
  if (kind === 'embedded') return registerInstances(connections, instances);
  const registry = await ServerProcess.start('embedded');
  const connection = await Connection.open(registry.port);
  const requests = await registerInstances([connection], 100);
  connection.close();
  await registry.stop();
  return Array.from({ length: instances }, (_, at) => requests[at % requests.length]);
}

async function openMany(port, count) {
  const connections = [];
  // No more at a time than the queue of a listening socket holds.
  while (connections.length < count)
    connections.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(count - connections.length, 100) }, () =>
          Connection.open(port),
        ),
      )),
    );
  return connections;
}

/**
 * Sends each heartbeat at its own time, whether or not the one before is answered, and counts from
 * that time on: what waits because the server, or the generator, is late counts as waiting.
 */
function beat(connections, requests, durationMs) {
  const latencies = [];
  const idle = [...connections];
  const due = [];
  const startedAt = performance.now();
  let sent = 0;
  return new Promise((resolve, reject) => {
    const send = () => {
      while (due.length > 0 && idle.length > 0) {
        const { request, dueAt } = due.shift();
        const connection = idle.shift();
        connection.send(request, head => {
          if (!head.startsWith('HTTP/1.1 200')) return reject(new Error(head));
          latencies.push(performance.now() - dueAt);
          idle.push(connection);
          send();
        });
      }
    };
    const timer = setInterval(() => {
      const elapsedMs = Math.min(performance.now() - startedAt, durationMs);
      for (; sent < elapsedMs * perMs; sent += 1)
        due.push({ request: requests[sent % requests.length], dueAt: startedAt + sent / perMs });
      send();
      if (elapsedMs < durationMs || latencies.length < sent) return;
      clearInterval(timer);
      resolve(latencies);
    }, 1);
  });
}
