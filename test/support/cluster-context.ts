import cluster from 'node:cluster';
import { NestFactory } from '@nestjs/core';
import { Registration, RegistryModule } from '../../lib/index.js';
import { optionsFor, rootModule } from './test-app.js';

// Two workers of Node's cluster module, which PM2's cluster mode is made of: `fork('cluster-context.js', [URL, ID])`.
// It reports each state of each worker, and stops a worker as PM2 does when it is sent the worker's number.

const [, , url = '', instanceId] = process.argv;

if (cluster.isPrimary) direct();
else await serve();

function direct(): void {
  const workers = [cluster.fork(), cluster.fork()];
  for (const [index, worker] of workers.entries()) {
    worker.on('message', report => process.send?.(`${index} ${report}`));
    worker.on('exit', (_, signal) => process.send?.(`${index} ended by ${signal}`));
  }
  process.on('message', index => workers[Number(index)]?.process.kill('SIGINT'));
  cluster.on('exit', () => {
    if (workers.every(worker => worker.isDead())) process.disconnect();
  });
}

async function serve(): Promise<void> {
  const options = optionsFor(url, {
    heartbeat: { intervalMs: 1_000 },
    instance: { instanceId, address: '10.0.0.7' },
  });
  const root = rootModule(RegistryModule.forRoot(options));
  const app = await NestFactory.create(root, { logger: false });
  app.enableShutdownHooks();
  await app.listen(0);
  app.get(Registration).state$.subscribe(state => process.send?.(state));
}
