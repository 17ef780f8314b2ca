import { portOr } from '../shared/environment.js';
import { stopSignal } from '../shared/stop-signal.js';
import { startRegistry } from './start-registry.js';

const remedy = 'Choose another port, as in: PORT=30200 npm run start:registry';

try {
  const stopped = stopSignal();
  const registry = await startRegistry(portOr(30_100), remedy);
  console.log(`Embedded Service Center on ${registry.url}, Ctrl-C stops it`);
  console.log('It keeps everything in memory and is for development only');
  await stopped;
  await registry.stop();
  console.log('Service Center stopped');
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
