// The process under load. `node server.js embedded` is a registry, `node server.js bare` an HTTP server
// that answers 200 to everything: the most that Node and the generator can do here.
import { createServer } from 'node:http';
import { EmbeddedServiceCenter } from '../dist/esm/index.js';

const start = { bare: startBare, embedded: startEmbedded }[process.argv[2]];
process.send({ port: await start() });
// What this process has used so far, whenever the parent asks.
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());

async function startEmbedded() {
  const { url } = await new EmbeddedServiceCenter({ port: 0 }).start();
  return Number(new URL(url).port);
}

async function startBare() {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'Content-Length': 0 }).end());
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}
