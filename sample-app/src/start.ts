/**
 * `npm start`: a Service Center, a greeter and a caller. The two services run in a process each, as
 * they would in real life; Service Center runs in this one, and stays until both have left it.
 */
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { startRegistry } from './registry/start-registry.js';
import { ServiceProcess, show } from './service-process.js';
import { anotherPort, portOr, variable } from './shared/environment.js';
import { stopSignal } from './shared/stop-signal.js';

/** True whatever holds the port. */
const remedyFor = (port: number) =>
  `Choose another port: REGISTRY_PORT=${anotherPort(port)} npm start. If a Service Center holds it, ` +
  `use that one: SERVICE_CENTER_ADDRESS=http://127.0.0.1:${port} npm start`;

try {
  process.exitCode = await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();

/** Resolves with the exit code once everything has ended. */
async function run(): Promise<number> {
  const stopped = stopSignal();
  const address = variable('SERVICE_CENTER_ADDRESS');
  const port = portOr(30_100, 'REGISTRY_PORT');
  const registry = address === undefined ? await startRegistry(port, remedyFor(port)) : undefined;
  if (registry !== undefined) {
    show('registry', `Embedded Service Center on ${registry.url}`);
    show('registry', `Its page: ${registry.url}/-/`);
  }

  const service = (name: string, port: number) =>
    new ServiceProcess(name, environmentOf(port, address ?? registry?.url));
  const greeter = service('greeter', portOr(3001, 'GREETER_PORT'));
  const caller = service('caller', portOr(3000, 'CALLER_PORT'));
  const ended = Promise.race([stopped.then(() => undefined), greeter.ended, caller.ended]);
  const urls = await Promise.race([Promise.all([greeter.ready, caller.ready]), ended]);
  if (Array.isArray(urls)) showUrls(urls);

  const failure = await ended;
  show('sample', 'Stopping');
  await Promise.all([greeter.stop(), caller.stop()]);
  if (registry !== undefined) await stop(registry);
  if (failure === undefined) return 0;
  console.error(failure);
  return 1;
}

/** What is meant for one service, and would set both alike, does not reach them. */
function environmentOf(port: number, address: string | undefined): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PORT: String(port),
    SERVICE_NAME: undefined,
    INSTANCE_ID: undefined,
    SERVICE_CENTER_ADDRESS: address,
  };
}

function showUrls([greeter, caller]: readonly [greeter: string, caller: string]): void {
  show('sample', 'Both services listen. Try');
  show('sample', `  curl '${caller}/hello?name=Ada'   the caller finds the greeter and asks it`);
  show('sample', `  curl '${caller}/health'`);
  show('sample', `  curl '${greeter}/health'`);
  show('sample', 'Ctrl-C stops everything');
}

async function stop(registry: EmbeddedServiceCenter): Promise<void> {
  const listed = registry.instances().length;
  await registry.stop();
  show(
    'registry',
    `Service Center stopped, ${listed === 0 ? 'nobody' : listed} was listed any more`,
  );
}
