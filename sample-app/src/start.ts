/**
 * `npm start`: a Service Center, a caller and one or more greeters. Each service runs in a process of its
 * own, as it would in real life; Service Center runs in this one, and stays until all have left it.
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
  const registryPort = portOr(30_100, 'REGISTRY_PORT');
  const ports = { greeters: greeterPorts(), caller: portOr(3000, 'CALLER_PORT') };
  const registry =
    address === undefined ? await startRegistry(registryPort, remedyFor(registryPort)) : undefined;
  if (registry !== undefined) {
    show('registry', `Embedded Service Center on ${registry.url}`);
    show('registry', `Its page: ${registry.url}/-/`);
  }

  const environment = (port: number) => environmentOf(port, address ?? registry?.url);
  const greeters = ports.greeters.map((port, index, { length }) => {
    const label = length === 1 ? 'greeter' : `greeter${index + 1}`;
    return new ServiceProcess('greeter', label, environment(port));
  });
  const caller = new ServiceProcess('caller', 'caller', environment(ports.caller));
  const services = [...greeters, caller];
  const ended = Promise.race([stopped.then(() => undefined), caller.ended, endOf(greeters)]);
  const urls = await Promise.race([Promise.all(services.map(({ ready }) => ready)), ended]);
  if (Array.isArray(urls)) showTrials(greeters, await caller.ready);

  const failure = await ended;
  show('sample', 'Stopping');
  await Promise.all(services.map(service => service.stop()));
  if (registry !== undefined) await stop(registry);
  if (failure === undefined) return 0;
  console.error(failure);
  return 1;
}

/** A port for each greeter: the first one can be chosen, and the others follow. With 0 each takes a free one. */
function greeterPorts(): readonly number[] {
  const first = portOr(3001, 'GREETER_PORT');
  const count = variable('GREETERS') ?? '1';
  if (!/^[1-9]$/.test(count))
    throw new Error(`GREETERS must be a whole number from 1 to 9, got "${count}"`);
  return Array.from({ length: Number(count) }, (_, index) => (first === 0 ? 0 : first + index));
}

/**
 * Resolves with one sentence when a greeter cannot start, or when the last one has ended by itself. While another
 * one runs, the end of a greeter is only shown: the caller goes on with the others.
 */
function endOf(greeters: readonly ServiceProcess[]): Promise<string> {
  let running = greeters.length;
  return new Promise(resolve => {
    for (const greeter of greeters)
      void greeter.ended.then(failure => {
        running -= 1;
        if (failure === undefined) return;
        if (running === 0 || !greeter.hasStarted) resolve(failure);
        else show('sample', `${failure}. The caller goes on with the others`);
      });
  });
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

function showTrials(greeters: readonly ServiceProcess[], caller: string): void {
  const [greeter] = greeters;
  const isAlone = greeters.length === 1;
  const trials = [
    [`curl '${caller}/hello?name=Ada'`, 'the caller calls a greeter by its name'],
    [`curl '${caller}/instances'`, 'the greeters that it knows, and who is set aside'],
    [`curl '${caller}/health'`, 'what the caller knows of its own registration'],
    isAlone
      ? ['GREETERS=3 npm start', 'the next time: three greeters, of which you can kill one']
      : [`kill -9 ${greeter?.pid}`, `${greeter?.label} dies, and the others answer`],
  ];
  show('sample', `${isAlone ? 'Both' : `All ${greeters.length + 1}`} services listen. Try`);
  const width = Math.max(...trials.map(([command = '']) => command.length));
  for (const [command = '', meaning] of trials)
    show('sample', `  ${command.padEnd(width)}   ${meaning}`);
  show('sample', 'Ctrl-C stops everything');
}

async function stop(registry: EmbeddedServiceCenter): Promise<void> {
  const { length } = registry.instances();
  await registry.stop();
  // An instance that was killed stays listed until its lease ends.
  const listed = length === 0 ? 'nobody was listed any more' : `${length} still listed`;
  show('registry', `Service Center stopped, ${listed}`);
}
