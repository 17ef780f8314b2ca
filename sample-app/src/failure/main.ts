/**
 * `npm run demo:failure`: a registry, a greeter and a caller. The registry goes away until every lease has ended, and
 * comes back empty. Shows what the services notice, and ends with 0 when everything is as it was. Its ports are free
 * ones, so it runs beside `npm start`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { ServiceProcess } from '../service-process.js';
import { variable } from '../shared/environment.js';
import { stopSignal } from '../shared/stop-signal.js';
import { type Observation, Observer } from './observer.js';
import { Story } from './story.js';

/** The default is the shortest interval that a real registry accepts. */
const intervalMs = Number(variable('HEARTBEAT_INTERVAL_MS') ?? 5_000);
/** A lease covers an interval, and three heartbeats that are missed. */
const leaseMs = 4 * intervalMs;
/** What a step may take beyond a lease, on a slow machine. */
const patienceMs = 15_000;
const pauseMs = 200;

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();

/** @throws Error when something does not come back, or a service ends by itself */
async function run(): Promise<void> {
  const stopped = stopSignal().then(signal => `Ended by ${signal}`);
  const story = new Story();
  const registry = new EmbeddedServiceCenter({ port: 0, minIntervalMs: intervalMs });
  await registry.start();
  const greeter = service('greeter', story, registry.url);
  const caller = service('caller', story, registry.url);
  const over = new AbortController();
  const observer = new Observer(story, { greeter, caller }, over.signal);
  const told = tell(story, { registry, observer });
  const failure = await Promise.race([told, stopped, greeter.ended, caller.ended]);
  over.abort(); // a service that is asked again and again does not end
  story.end('The services stop');
  await Promise.all([greeter.stop(), caller.stop()]);
  await registry.stop();
  if (failure !== undefined) throw new Error(failure);
}

function service(name: string, story: Story, address: string): ServiceProcess {
  const env = {
    ...process.env,
    PORT: '0',
    SERVICE_NAME: undefined,
    INSTANCE_ID: undefined,
    SERVICE_CENTER_ADDRESS: address,
    HEARTBEAT_INTERVAL_MS: String(intervalMs),
  };
  return new ServiceProcess(name, name, env, line => story.hear(name, line));
}

interface Stage {
  readonly registry: EmbeddedServiceCenter;
  readonly observer: Observer;
}

/** Resolves with undefined once everything has come back, else with one sentence that says what has not. */
async function tell(story: Story, { registry, observer }: Stage): Promise<string | undefined> {
  story.chapter(`A registry, a greeter and a caller start; a lease is ${leaseMs / 1_000} s`);
  const areListed = () => registry.instances().length === 2;
  const isWell = ({ health, isAnswered }: Observation) =>
    health === 'good' && isAnswered && areListed();
  if (!(await comes(observer, isWell))) return 'The services did not start';

  observer.takeCalls();
  story.chapter('The registry stops, and the leases run out');
  await registry.stop();
  if (!(await comes(observer, ({ health }) => health === 'bad'))) return 'No lease has ended';
  const { calls, answered } = observer.takeCalls();
  story.conclude(`${answered} of ${calls} calls by name were answered without the registry`);

  story.chapter('The registry comes back, and has forgotten everything');
  registry.reset();
  await registry.start();
  if (!(await comes(observer, isWell))) return 'Not everything came back';
  story.conclude('Both services are listed again, and everything is as it was');
  return undefined;
}

/** Looks until something is there, and resolves with whether it came in time. */
async function comes(
  observer: Observer,
  isThere: (observation: Observation) => boolean,
): Promise<boolean> {
  const deadline = performance.now() + leaseMs + patienceMs;
  while (!observer.isOver && performance.now() < deadline) {
    if (isThere(await observer.look())) return true;
    await delay(pauseMs);
  }
  return false;
}
