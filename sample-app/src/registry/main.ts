import { anotherPort, portOr } from '../shared/environment.js';
import { stopSignal } from '../shared/stop-signal.js';
import { startRegistry } from './start-registry.js';

try {
  const stopped = stopSignal();
  const port = portOr(30_100);
  const other = anotherPort(port);
  const registry = await startRegistry(
    port,
    `Choose another port, as in: PORT=${other} npm run start:registry, and start the services with ` +
      `SERVICE_CENTER_ADDRESS=http://127.0.0.1:${other}`,
  );
  console.log(`Embedded Service Center on ${registry.url}, Ctrl-C stops it`);
  console.log(`Its page: ${registry.url}/-/`);
  console.log('It keeps everything in memory and is for development only');
  await stopped;
  await registry.stop();
  console.log('Service Center stopped');
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
