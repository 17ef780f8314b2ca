import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { dashboard, type Panel } from '../deploy/expressions.js';
import { endAll, SampleProcess } from '../sample/sample-process.js';
import type { PanelData } from './dashboard-picture.js';
import type { TimeRange } from './panel.js';
import { Prometheus } from './prometheus.js';

/** What the dashboard shows of the sample while its registry was away. */
export interface Outage {
  readonly panels: readonly Panel[];
  readonly data: PanelData;
  readonly range: TimeRange;
}

const heartbeatMs = 5_000;
/** A greeter is killed, and the registry goes away for longer than a lease, which is 20 s, and comes back empty. */
const killedAtMs = 15_000;
const awayAtMs = 30_000;
const backAtMs = 60_000;
const endMs = 95_000;

/** Values of the dashboard's variables. At this scrape interval Grafana takes 4 s, in which there may be no heartbeat. */
const variables: Readonly<Record<string, string>> = {
  $job: '.*',
  $instance: '.*',
  $provider: '.*',
  $__rate_interval: '15s',
};

/** Runs two greeters and a caller of the sample, with calls by name all along, and an outage of the registry. */
export async function recordOutage(): Promise<Outage> {
  const registry = new EmbeddedServiceCenter({ port: 0, minIntervalMs: heartbeatMs });
  await registry.start();
  const env = {
    PORT: '0',
    SERVICE_CENTER_ADDRESS: registry.url,
    HEARTBEAT_INTERVAL_MS: String(heartbeatMs),
  };
  const processes = {
    'greeter-1': new SampleProcess('greeter/main', env),
    'greeter-2': new SampleProcess('greeter/main', env),
    'caller-1': new SampleProcess('caller/main', env),
  };
  const targets = await Promise.all(
    Object.entries(processes).map(async ([instance, service]) => {
      await service.prints(/is in the registry/);
      return { job: instance.replace(/-\d$/, ''), instance, url: await service.url() };
    }),
  );
  const caller = targets.find(({ job }) => job === 'caller')?.url ?? '';
  const prometheus = await Prometheus.start(targets);
  const over = new AbortController();
  const calls = callAgainAndAgain(`${caller}/hello?name=Ada`, over.signal);
  try {
    // Rates look back.
    await delay(20_000);
    const range = await takeAway(registry, processes['greeter-2']);
    return await read(prometheus, range);
  } finally {
    over.abort();
    await calls;
    await prometheus.stop();
    await endAll();
    await registry.stop();
  }
}

/** Resolves with the time that is worth looking at. */
async function takeAway(
  registry: EmbeddedServiceCenter,
  greeter: SampleProcess,
): Promise<TimeRange> {
  const start = Math.floor(Date.now() / 1_000);
  const at = (ms: number) => delay(Math.max(0, start * 1_000 + ms - Date.now()));
  await at(killedAtMs);
  greeter.kill('SIGKILL');
  await at(awayAtMs);
  await registry.stop();
  await at(backAtMs);
  registry.reset();
  await registry.start();
  await at(endMs);
  const outage = { start: start + awayAtMs / 1_000, end: start + backAtMs / 1_000 };
  return { start, end: start + endMs / 1_000, step: 1, outage };
}

async function callAgainAndAgain(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    await delay(100);
  }
}

async function read(prometheus: Prometheus, range: TimeRange): Promise<Outage> {
  const { panels } = dashboard();
  const data = new Map<number, PanelData extends ReadonlyMap<number, infer Each> ? Each : never>();
  for (const { id, targets = [] } of panels) {
    const series = await Promise.all(
      targets.map(({ expr, legendFormat }) =>
        prometheus.query(withVariables(expr), legendFormat, range),
      ),
    );
    data.set(id, series.flat());
  }
  return { panels, data, range };
}

/** @throws Error for a variable that is not known here */
export function withVariables(expr: string): string {
  return expr.replaceAll(/\$\w+/g, name => {
    const value = variables[name];
    if (value === undefined) throw new Error(`The pictures know no variable ${name}`);
    return value;
  });
}
