import { describe, expect, it } from '@jest/globals';
import { Simulation } from '../../support/simulation.js';

const minute = 60_000;

describe('the registration', () => {
  it('M2 proves nothing by a cached read, however far the cache lags', async () => {
    const simulation = new Simulation(1, { oddities: { publicationMs: 10 * minute } });
    const { clock, registry } = simulation;
    const { core } = await simulation.registered({ verifyEvery: 2 });
    await clock.run(5 * minute);
    expect(core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
    registry.forget('orders-0');
    expect(await clock.until(() => simulation.isListed())).toBeLessThanOrEqual(17_500);
    await clock.run(5 * minute);
    expect(core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });

  it.each([5, 400])(
    'M3 is listed in the end when a POST within %d ms after the DELETE is lost',
    async lostRegistrationMs => {
      const simulation = new Simulation(1, { oddities: { lostRegistrationMs } });
      const { clock, registry } = simulation;
      const killed = await simulation.registered();
      killed.kill();
      const successor = simulation.process({ endpoints: ['rest://10.0.0.2:80'] });
      successor.start();
      await clock.run(3_000);
      expect(registry.instances()).toMatchObject([{ endpoints: ['rest://10.0.0.2:80'] }]);
      expect(successor.core.state).toBe('registered');
    },
  );

  it('M4 registers again when the POST was answered 200 for a lease that was just ending', async () => {
    const simulation = new Simulation(1, { oddities: { dyingLeaseMs: 600 } });
    const { clock, registry } = simulation;
    // The lowest draws: the registration comes right after the end of the lease.
    const process = await simulation.registered({ random: () => 0.01 });
    await clock.run(30_000);
    registry.weather = 'refuses';
    process.onEvent = ({ name }) => {
      if (name === 'servicecomb.instance.lost') registry.weather = 'fine';
    };
    await clock.until(() => registry.weather === 'fine');
    const lostAt = clock.now();
    await clock.until(() => process.core.state === 'registered');
    expect(clock.now() - lostAt).toBeLessThan(600);
    await clock.until(() => !simulation.isListed());
    expect(await clock.until(() => simulation.isListed())).toBeLessThanOrEqual(2_000);
    await clock.run(5 * minute);
    expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 3 });
  });

  it('M6 registers again when a heartbeat was answered 200 after the end of the lease', async () => {
    const simulation = new Simulation(1, { oddities: { dyingLeaseMs: 600 } });
    const { clock } = simulation;
    const process = await simulation.registered();
    await clock.run(2 * minute);
    const { leaseRemainingMs } = process.core.snapshot();
    process.standStill((leaseRemainingMs ?? 0) + 100);
    await clock.until(() => !simulation.isListed());
    expect(await clock.until(() => simulation.isListed())).toBeLessThanOrEqual(3_000);
    await clock.run(minute);
    expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });

  it('M5 does not believe the spurious 400017 after a re-registration', async () => {
    const simulation = new Simulation(1, { oddities: { spuriousLossChance: 1 } });
    const { clock, registry } = simulation;
    const process = await simulation.registered();
    await clock.run(minute);
    registry.forget('orders-0');
    await clock.run(5 * minute);
    const refused = registry.requests.filter(
      ({ operation, status }) => operation === 'heartbeat' && status === 400,
    );
    // The true one and the spurious one.
    expect(refused).toHaveLength(2);
    expect(process.names().filter(name => name === 'instance.lost')).toHaveLength(1);
    expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });

  it('M7 keeps its lease, and beats on time, while the writes of the registry hang', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    const { core } = await simulation.registered({ verifyEvery: 2 });
    await clock.run(minute);
    registry.oddities.set({ storeDown: true });
    const from = clock.now();
    const refused = expect(core.record.setStatus('DOWN')).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_TIMEOUT',
    });
    await clock.run(10 * minute);
    await refused;
    registry.oddities.set({ storeDown: false });
    await clock.run(minute);
    expect(core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
    const beats = registry.requests.filter(
      ({ operation, at }) => operation === 'heartbeat' && at >= from,
    );
    const gaps = beats.slice(1).map(({ at }, nth) => at - (beats[nth]?.at ?? 0));
    // An interval with its jitter, a turn, and a read-back that hangs for its five seconds.
    expect(Math.max(...gaps)).toBeLessThanOrEqual(16_500 + 1_000 + 5_000);
  });

  it('M7 is listed within 40 s when the store is back', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    registry.oddities.set({ storeDown: true });
    const process = simulation.process();
    process.start();
    await clock.run(5 * minute);
    expect(process.core.state).toBe('registering');
    registry.oddities.set({ storeDown: false });
    expect(await clock.until(() => simulation.isListed())).toBeLessThanOrEqual(40_000);
  });

  it('M18 has both of two quick changes in the end', async () => {
    const simulation = new Simulation(1, { oddities: { publicationMs: 300 } });
    const { clock, registry } = simulation;
    const { core } = await simulation.registered();
    await clock.run(minute);
    void core.record.setStatus('OUTOFSERVICE');
    void core.record.setProperties({ canary: 'yes' });
    await clock.run(minute);
    expect(registry.instances()).toMatchObject([
      { status: 'OUTOFSERVICE', properties: { canary: 'yes' } },
    ]);
    expect(core.snapshot().registrations).toBe(1);
  });

  it('M18 has both of two changes also while others hold the publication off', async () => {
    const simulation = new Simulation(1, { oddities: { publicationMs: 300 } });
    const { clock, registry } = simulation;
    const { core } = await simulation.registered();
    const other = await simulation.registered({ instanceId: 'busybody', serviceName: 'other' });
    await clock.run(minute);
    const stir = () => {
      if (clock.now() > from + 20_000) return;
      const { serviceId } = other.core.snapshot();
      const url = `http://a:1/v4/default/registry/microservices/${serviceId}/instances/busybody`;
      const request = {
        method: 'PUT',
        headers: {},
        body: undefined,
        timeoutMs: 1,
        maxAnswerBytes: 1_048_576,
        signal: undefined,
      };
      void registry.send({
        ...request,
        method: 'PUT',
        url: `${url}/status?value=UP`,
        timeoutMs: 5_000,
      });
      clock.setTimer(100, stir);
    };
    const from = clock.now();
    stir();
    void core.record.setStatus('OUTOFSERVICE');
    void core.record.setProperties({ canary: 'yes' });
    await clock.run(5_000);
    // Only one of the two can hold by now: it is the status, but for the moments between two writes.
    let heldMs = 0;
    for (let passedMs = 0; passedMs < 10_000; passedMs += 100) {
      await clock.run(100);
      const ours = registry.instances().find(each => each.instanceId === 'orders-0');
      if (ours?.status === 'OUTOFSERVICE') heldMs += 100;
    }
    expect(heldMs).toBeGreaterThanOrEqual(8_500);
    await clock.run(2 * minute);
    expect(registry.instances().find(each => each.instanceId === 'orders-0')).toMatchObject({
      status: 'OUTOFSERVICE',
      properties: { canary: 'yes' },
    });
    expect(core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
    expect(registry.count('unregisterInstance')).toBe(0);
  });
});
