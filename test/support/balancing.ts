import type { Clock } from '../../lib/background/clock.js';
import { Balancer, type BalancerSettings } from '../../lib/discovery/balancer.js';
import type { CallOutcome } from '../../lib/discovery/call-outcome.js';
import { pickers } from '../../lib/discovery/pickers.js';
import type { StoredInstance } from '../../lib/protocol/wire.js';
import { FakeClock } from './fake-clock.js';
import { SeededRandom } from './seeded-random.js';

/** An instance that is UP at one endpoint, unless said otherwise. */
export function instanceOf(
  instanceId: string,
  fields: Partial<Omit<StoredInstance, 'instanceId'>> = {},
): StoredInstance {
  return {
    instanceId,
    hostName: 'host',
    endpoints: [`rest://${instanceId}:3000`],
    status: 'UP',
    version: '1.0.0',
    ...fields,
  };
}

/** As many instances: a, b, c and so on. */
export function instancesOf(count: number): readonly StoredInstance[] {
  return Array.from({ length: count }, (_, index) => instanceOf(String.fromCharCode(97 + index)));
}

/** Where instances run; the name is that of the data center. */
export function zoneOf(region: string, availableZone: string): Partial<StoredInstance> {
  return { dataCenterInfo: { name: 'center', region, availableZone } };
}

/** A balancer on a clock that a test moves, with all that it reports. */
export class Balancing<TestClock extends Pick<Clock, 'now' | 'delay'> = FakeClock> {
  readonly balancer: Balancer;
  readonly ejected: { readonly id: string; readonly forMs: number; readonly failures: number }[] =
    [];
  readonly restored: { readonly id: string; readonly afterMs: number }[] = [];
  readonly failed: { readonly id: string; readonly outcome: CallOutcome }[] = [];
  readonly skipped: string[] = [];

  constructor(
    instances: readonly StoredInstance[],
    settings: Partial<BalancerSettings>,
    readonly clock: TestClock,
    seed = 1,
  ) {
    const random = new SeededRandom(seed);
    this.balancer = new Balancer(
      { environment: '', appId: 'default', serviceName: 'greeter' },
      { picker: pickers.balanced, zone: 'prefer', ejection, dataCenter: undefined, ...settings },
      {
        now: () => clock.now(),
        delay: (ms, signal) => clock.delay(ms, signal),
        random: () => random.next(),
      },
      {
        ejected: ({ instance }, { forMs, failures }) =>
          this.ejected.push({ id: instance.instanceId, forMs, failures }),
        restored: ({ instance }, { afterMs }) =>
          this.restored.push({ id: instance.instanceId, afterMs }),
        failed: ({ instance }, outcome) => this.failed.push({ id: instance.instanceId, outcome }),
        skipped: endpoint => this.skipped.push(endpoint),
      },
    );
    this.balancer.update(instances);
  }

  /** The ids of so many picks. */
  picks(count: number): string[] {
    return Array.from({ length: count }, () => this.balancer.pick().instance.instanceId);
  }
}

/** The defaults of the option `discovery.ejection`. */
export const ejection = { failures: 5, firstMs: 5_000, longestMs: 60_000, share: 0.5 };

/** A balancer on a clock that stands still. */
export function balancing(
  instances: readonly StoredInstance[],
  settings: Partial<BalancerSettings> = {},
): Balancing {
  return new Balancing(instances, settings, new FakeClock());
}

/** An error of Node. */
export function nodeError(code: string, fields: object = {}): Error {
  return Object.assign(new Error(code), { code, ...fields });
}
