import type { SentRequest } from './simulated-registry.js';
import type { SimulatedProcess } from './simulated-process.js';
import { Simulation } from './simulation.js';

/** What befalls the registry of a crowd. */
export interface CrowdFault {
  readonly seed: number;
  readonly size: number;
  /** For how long nothing answers. */
  readonly awayMs: number;
  /** Whether it comes back without the instances that it had. */
  readonly forgets: boolean;
}

/** Rates of a crowd, each as a multiple of its steady rate of heartbeats. */
export interface CrowdRates {
  /** Highest in any second from the return on. */
  readonly registrations: number;
  /** Highest in any second from the return on of what is sent because of the return. */
  readonly heartbeatsLater: number;
  readonly processes: readonly SimulatedProcess[];
}

const intervalMs = 15_000;
const watchedMs = 40_000;
/** By then each has sent the heartbeat that waited for its retry. */
const retriedMs = 10_000;

/** Takes the registry of a crowd away and gives it back, and counts what it is sent from then on. */
export async function rushAfter({ seed, size, awayMs, forgets }: CrowdFault): Promise<CrowdRates> {
  const simulation = new Simulation(seed);
  const { clock, registry, draw } = simulation;
  const processes = Array.from({ length: size }, (_, nth) =>
    simulation.process({ instanceId: `i-${nth}`, serviceName: `s-${nth}` }),
  );
  for (const process of processes) clock.setTimer(draw() * intervalMs, () => process.start());
  await clock.run(2 * intervalMs);
  registry.weather = 'refuses';
  await clock.run(awayMs);
  registry.weather = 'fine';
  if (forgets) registry.forgetInstances();
  const returnedAt = clock.now();
  await clock.run(watchedMs);
  const steady = (size / intervalMs) * 1_000;
  const sent = registry.requests.filter(({ at }) => at >= returnedAt);
  const perSecond = (operation: string, from: number) =>
    mostInASecond(
      sent.filter(each => each.operation === operation && each.at >= returnedAt + from),
    ) / steady;
  return {
    registrations: perSecond('registerInstance', 0),
    heartbeatsLater: perSecond('heartbeat', retriedMs),
    processes,
  };
}

function mostInASecond(requests: readonly SentRequest[]): number {
  const counts = new Map<number, number>();
  for (const { at } of requests) {
    const second = Math.floor(at / 1_000);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}
