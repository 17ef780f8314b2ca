import { describe, expect, it } from '@jest/globals';
import type { Oddities } from '../../../lib/index.js';
import { TestRegistry, refusalOf } from '../../support/registry.js';

const ok = '200';
const stale = '400 400017 etcdserver: requested lease not found';
const gone = '400 400017 leaseId not exist, instance not exist';

/**
 * Creates a registry with some oddities and an instance with a lease of 20 s that has sent one
 * heartbeat.
 */
function stage(oddities: Oddities) {
  const registry = new TestRegistry({ oddities });
  const { clock } = registry;
  const serviceId = registry.service();
  const path = `/microservices/${serviceId}/instances/own`;
  const outcome = (line: string) => {
    const told = registry.ask(line);
    return told.status === 200 ? ok : refusalOf(told);
  };
  const healthCheck = { mode: 'push', interval: 5, times: 3 };
  const staged = {
    registry,
    clock,
    serviceId,
    register: () => registry.instance(serviceId, { instanceId: 'own', healthCheck }),
    beat: () => outcome(`PUT ${path}/heartbeat`),
    remove: () => outcome(`DELETE ${path}`),
    isThere: () => registry.ask(`GET ${path}?noCache=1`).status === 200,
    leftMs: () => registry.model.snapshot()[0]?.leaseRemainingMs,
  };
  staged.register();
  expect(staged.beat()).toBe(ok);
  return staged;
}

type Stage = ReturnType<typeof stage>;

describe('renewalStepMs', () => {
  it('renews at the next step what was not the first heartbeat', () => {
    const { clock, beat, leftMs } = stage({ renewalStepMs: 1000 });
    expect(leftMs()).toBe(20_000);
    clock.advance(5300);
    expect(beat()).toBe(ok);
    expect(leftMs()).toBe(14_700);
    clock.advance(699);
    expect(leftMs()).toBe(14_001);
    clock.advance(1);
    expect(leftMs()).toBe(20_000);
  });

  it('answers 200 to a heartbeat or a POST whose step comes after the end of the lease', () => {
    const { clock, beat, register, isThere } = stage({ renewalStepMs: 1000 });
    clock.advance(500);
    beat();
    clock.advance(500 + 19_100);
    // The time is 20,100; the lease ends at 21,000, where a step is due.
    expect(beat()).toBe(ok);
    register();
    clock.advance(900);
    expect(isThere()).toBe(false);
    expect(beat()).toBe(gone);
  });

  it('refuses heartbeats after a return until one has been carried out', () => {
    const { clock, beat, remove, register } = stage({ renewalStepMs: 1000 });
    clock.advance(100);
    beat();
    remove();
    expect(beat()).toBe(gone);
    clock.advance(1500);
    register();
    expect(beat()).toBe(stale);
    expect(beat()).toBe(stale);
    clock.advance(1000);
    expect(beat()).toBe(ok);
  });

  it('has a POST in that state register anew, which does no harm', () => {
    const { clock, beat, remove, register, isThere, leftMs } = stage({ renewalStepMs: 1000 });
    clock.advance(100);
    beat();
    remove();
    clock.advance(1500);
    register();
    clock.advance(5000);
    expect(beat()).toBe(stale);
    register();
    expect(leftMs()).toBe(20_000);
    clock.advance(15_001);
    expect(isThere()).toBe(true);
  });

  it('remembers nothing of an id that has been silent for two minutes', () => {
    const { registry, clock, beat, remove, register, serviceId } = stage({ renewalStepMs: 1000 });
    beat();
    remove();
    clock.advance(120_000);
    registry.beat(serviceId, registry.instance(serviceId));
    register();
    expect(beat()).toBe(ok);
  });

  it('carries out what is queued when it is turned off, and leaves no timer', () => {
    const { registry, clock, beat, leftMs } = stage({ renewalStepMs: 1000 });
    clock.advance(5300);
    beat();
    registry.model.oddities.clear();
    expect(leftMs()).toBe(20_000);
    expect(clock.timers).toBe(0);
    clock.advance(5000);
    beat();
    expect(leftMs()).toBe(20_000);
  });

  it.each([
    ['when somebody asks', () => undefined],
    ['when it is turned off', ({ registry }: Stage) => registry.model.oddities.clear()],
  ])('renews in time, by a clock that sets no timers, %s', (_, act) => {
    const staged = stage({ renewalStepMs: 1000 });
    staged.clock.advance(18_500);
    staged.beat();
    staged.clock.leap(10_000);
    act(staged);
    expect(staged.isThere()).toBe(true);
  });
});

describe('housekeepingMs', () => {
  const oddities = { renewalStepMs: 1000, housekeepingMs: 30_000 };

  it('has one heartbeat in 30 s wait for two steps instead of one', () => {
    const { clock, beat, leftMs } = stage(oddities);
    const waits = Array.from({ length: 60 }, () => {
      clock.advance(1);
      const at = clock.now();
      beat();
      while (leftMs() !== 20_000) clock.advance(1);
      return clock.now() - at;
    });
    const wholeStep = 999;
    expect(waits.filter(wait => wait !== wholeStep)).toEqual([1999, 1999]);
  });

  it.each([
    [300, 135, 200],
    [600, 79, 200],
    [900, 27, 200],
    [1200, 2, 120],
    [1400, 2, 120],
    [1700, 1, 120],
    [2000, 0, 120],
  ])(
    'loses a lease with %i ms left about as often as a real server, %i of %i',
    (leftMs, lost, tried) => {
      const share = shareOfLost(oddities, leftMs);
      expect(Math.abs(share * tried - lost)).toBeLessThanOrEqual(8);
      expect(share > 0).toBe(lost > 0);
    },
  );

  it('loses no lease with a step left without it', () => {
    expect(shareOfLost({ renewalStepMs: 1000 }, 1000)).toBe(0);
  });

  it('lets a lease that was answered 200 live on past its end as dyingLeaseMs says', () => {
    const { clock, beat, isThere } = stage({ ...oddities, dyingLeaseMs: 600 });
    clock.advance(9900);
    beat();
    // Renewed at 10,000, the lease ends at 30,000, where no step comes.
    clock.advance(19_300);
    expect(beat()).toBe(ok);
    clock.advance(1300);
    expect(isThere()).toBe(true);
    clock.advance(100);
    expect(isThere()).toBe(false);
  });

  it('begins with the moment at which it is turned on', () => {
    const { registry, clock, beat, leftMs } = stage({ renewalStepMs: 1000 });
    clock.advance(500);
    registry.model.oddities.set({ housekeepingMs: 30_000 });
    clock.advance(15_000);
    beat();
    clock.advance(14_700);
    beat();
    clock.advance(1299);
    expect(leftMs()).toBeLessThan(20_000);
    clock.advance(1);
    expect(leftMs()).toBe(20_000);
  });
});

/** The share of heartbeats with so much of a lease left that are answered 200 and lost all the same. */
function shareOfLost(oddities: Oddities, leftMs: number): number {
  const stepMs = 50;
  const phases = Array.from({ length: 30_000 / stepMs }, (_, at) => at * stepMs);
  const lost = phases.filter(phase => {
    const { clock, beat, isThere, register, remove } = stage(oddities);
    clock.advance(phase + 1);
    remove();
    register();
    clock.advance(20_000 - leftMs);
    const wasAnswered = beat() === ok;
    clock.advance(leftMs + 2000);
    return wasAnswered && !isThere();
  });
  return lost.length / phases.length;
}

describe('dyingLeaseMs', () => {
  it('answers 200 for so long after the end of the lease, and renews nothing', () => {
    const { clock, beat, register, isThere, leftMs } = stage({ dyingLeaseMs: 600 });
    clock.advance(20_000);
    expect(beat()).toBe(ok);
    register();
    clock.advance(599);
    expect(beat()).toBe(ok);
    expect(leftMs()).toBe(0);
    expect(isThere()).toBe(true);
    clock.advance(1);
    expect(isThere()).toBe(false);
    expect(beat()).toBe(gone);
  });

  it('refuses the first heartbeat of an instance, and lets its POST register it', () => {
    const registry = new TestRegistry({ oddities: { dyingLeaseMs: 600 } });
    const serviceId = registry.service();
    registry.instance(serviceId, { instanceId: 'own' });
    registry.clock.advance(120_000);
    const path = `/microservices/${serviceId}/instances/own`;
    expect(refusalOf(registry.ask(`PUT ${path}/heartbeat`))).toBe(stale);
    registry.instance(serviceId, { instanceId: 'other' });
    registry.clock.advance(120_000);
    registry.instance(serviceId, { instanceId: 'other' });
    registry.clock.advance(60_000);
    expect(registry.read(serviceId, 'other')).toBeDefined();
  });

  it('renews as ever before the end', () => {
    const { clock, beat, leftMs } = stage({ dyingLeaseMs: 600 });
    clock.advance(19_999);
    expect(beat()).toBe(ok);
    expect(leftMs()).toBe(20_000);
  });

  it('counts heartbeats that came before it was turned on, and ends what is over when turned off', () => {
    const { registry, clock, beat, isThere } = stage({});
    registry.model.oddities.set({ dyingLeaseMs: 600 });
    clock.advance(20_000);
    expect(beat()).toBe(ok);
    registry.model.oddities.set({ dyingLeaseMs: 0 });
    expect(isThere()).toBe(false);
  });

  it('gives no second life to what was over before', () => {
    const { registry, clock, isThere } = stage({});
    clock.advance(20_000);
    registry.model.oddities.set({ dyingLeaseMs: 600 });
    expect(isThere()).toBe(false);
  });
});

describe('spuriousLossChance', () => {
  it('refuses the first heartbeat after a return', () => {
    const { clock, beat, remove, register, leftMs } = stage({ spuriousLossChance: 1 });
    remove();
    register();
    clock.advance(5000);
    expect(beat()).toBe(stale);
    expect(leftMs()).toBe(20_000);
    expect(beat()).toBe(ok);
  });

  it('has a second POST register anew, after the end of a lease too', () => {
    const { registry, clock, beat, register, serviceId } = stage({ spuriousLossChance: 1 });
    clock.advance(20_000);
    register();
    registry.instance(serviceId, { instanceId: 'own', hostName: 'second' });
    expect(registry.read(serviceId, 'own').hostName).toBe('second');
    expect(beat()).toBe(ok);
  });

  it('spares an instance that is not back within two minutes', () => {
    const { clock, beat, remove, register } = stage({ spuriousLossChance: 1 });
    remove();
    clock.advance(120_000);
    register();
    expect(beat()).toBe(ok);
  });

  it('spares an instance that never sent a heartbeat', () => {
    const { registry, serviceId } = stage({ spuriousLossChance: 1 });
    registry.instance(serviceId, { instanceId: 'other' });
    registry.ask(`DELETE /microservices/${serviceId}/instances/other`);
    registry.instance(serviceId, { instanceId: 'other' });
    expect(registry.beat(serviceId, 'other')).toBe(200);
  });

  it.each([
    [0.7, 50, 90],
    [0, 0, 0],
  ])('strikes as often as it says: %f', (spuriousLossChance, least, most) => {
    const { beat, remove, register } = stage({ spuriousLossChance });
    let refused = 0;
    for (let count = 0; count < 100; count += 1) {
      remove();
      register();
      if (beat() === stale) refused += 1;
      beat();
    }
    expect(refused).toBeGreaterThanOrEqual(least);
    expect(refused).toBeLessThanOrEqual(most);
  });
});

describe('lostRegistrationMs', () => {
  it('answers 200 to a POST right after a DELETE, and registers nothing', () => {
    const { beat, remove, register, isThere } = stage({ lostRegistrationMs: 100 });
    remove();
    expect(register()).toBe('own');
    expect(isThere()).toBe(false);
    expect(beat()).toBe(gone);
  });

  it('registers after a gap, and any other id', () => {
    const { registry, clock, remove, register, isThere, serviceId } = stage({
      lostRegistrationMs: 100,
    });
    remove();
    registry.instance(serviceId, { instanceId: 'other' });
    expect(registry.read(serviceId, 'other')).toBeDefined();
    clock.advance(100);
    register();
    expect(isThere()).toBe(true);
  });

  it('registers after the end of a lease, and without the knob', () => {
    const ended = stage({ lostRegistrationMs: 100 });
    ended.clock.advance(20_000);
    ended.register();
    expect(ended.isThere()).toBe(true);
    const off = stage({});
    off.remove();
    off.register();
    expect(off.isThere()).toBe(true);
  });

  it('loses as many as lostRegistrationChance says, the same with the same seed', () => {
    const lossesWith = (seed: number) => {
      const oddities = { lostRegistrationMs: 5, lostRegistrationChance: 0.3, seed };
      const { remove, register, isThere } = stage(oddities);
      return Array.from({ length: 50 }, () => {
        remove();
        register();
        const isLost = !isThere();
        if (isLost) register();
        return isLost;
      });
    };
    const losses = lossesWith(7);
    const count = losses.filter(Boolean).length;
    expect(count).toBeGreaterThan(5);
    expect(count).toBeLessThan(30);
    expect(lossesWith(7)).toEqual(losses);
    expect(lossesWith(8)).not.toEqual(losses);
  });
});
