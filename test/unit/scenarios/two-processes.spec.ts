import { describe, expect, it } from '@jest/globals';
import { healthOf } from '../../../lib/registration/state.js';
import { Simulation } from '../../support/simulation.js';
import type { SimulatedProcess } from '../../support/simulated-process.js';

const minute = 60_000;
const older = ['rest://10.0.0.1:80'];
const newer = ['rest://10.0.0.2:80'];

/** A process and its successor under the same id, which has replaced its record. */
async function succession(simulation = new Simulation()) {
  const predecessor = await simulation.registered({ endpoints: older, verifyEvery: 2 });
  await simulation.clock.run(10_000);
  const successor = await simulation.registered({ endpoints: newer, verifyEvery: 2 });
  await simulation.clock.run(2_000);
  return { simulation, predecessor, successor };
}

/** Lets time pass until a call has ended. */
async function settled(simulation: Simulation, call: Promise<void>): Promise<void> {
  let isOver = false;
  void call.finally(() => {
    isOver = true;
  });
  await simulation.clock.until(() => isOver);
  await call;
}

function isListedAt(simulation: Simulation, endpoints: readonly string[]): boolean {
  return simulation.registry.instances().some(each => each.endpoints?.join() === endpoints.join());
}

const takenOvers = (process: SimulatedProcess) =>
  process.names().filter(name => name === 'instance.taken-over').length;

describe('a predecessor that leaves after its successor has registered', () => {
  it('does not remove the record of its successor', async () => {
    const { simulation, predecessor, successor } = await succession();
    await settled(simulation, predecessor.close());
    expect(isListedAt(simulation, newer)).toBe(true);
    expect(simulation.registry.count('unregisterInstance')).toBe(1);
    await simulation.clock.run(10 * minute);
    expect(successor.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
  });

  it('neither registers, nor marks the record of its successor, while it drains', async () => {
    const { simulation, predecessor, successor } = await succession();
    await settled(simulation, predecessor.core.drain());
    await simulation.clock.run(2 * minute);
    await settled(simulation, predecessor.close());
    await simulation.clock.run(10 * minute);
    expect(simulation.registry.instances()).toMatchObject([{ endpoints: newer, status: 'UP' }]);
    expect(successor.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
    expect(takenOvers(predecessor)).toBe(0);
  });

  it('does not register again while it drains and the registry has forgotten it', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    const process = await simulation.registered();
    await settled(simulation, process.core.drain());
    registry.forget('orders-0');
    await clock.run(2 * minute);
    expect(process.core.state).toBe('lost');
    expect(registry.count('registerInstance')).toBe(1);
    await expect(process.core.register()).rejects.toMatchObject({ name: 'AbortError' });
    await settled(simulation, process.close());
    expect(registry.instances()).toEqual([]);
  });

  it('removes its own record, also one of which the registration was posted again', async () => {
    const simulation = new Simulation();
    const process = await simulation.registered();
    await simulation.clock.run(minute);
    simulation.registry.forget('orders-0');
    await simulation.clock.until(() => process.core.snapshot().registrations === 2);
    await settled(simulation, process.close());
    expect(simulation.registry.instances()).toEqual([]);
  });
});

describe('two live processes with one id', () => {
  it('leave it to the newer one, and the older one says so once, blocked and degraded', async () => {
    const { simulation, predecessor, successor } = await succession();
    await simulation.clock.run(30 * minute);
    expect(isListedAt(simulation, newer)).toBe(true);
    expect(successor.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
    expect(takenOvers(successor)).toBe(0);
    const snapshot = predecessor.core.snapshot();
    expect(snapshot).toMatchObject({
      state: 'blocked',
      lastError: { code: 'ERR_SERVICECOMB_TAKEN_OVER' },
    });
    expect(healthOf(snapshot)).toBe('degraded');
    expect(takenOvers(predecessor)).toBe(1);
    // The POST that each of them began with, and that of the replacement.
    expect(simulation.registry.count('registerInstance')).toBe(3);
  });

  it('change places within an interval and a bit once the newer one has left', async () => {
    const { simulation, predecessor, successor } = await succession();
    await simulation.clock.run(5 * minute);
    await settled(simulation, successor.close());
    const tookMs = await simulation.clock.until(() => isListedAt(simulation, older));
    expect(tookMs).toBeLessThanOrEqual(18_000);
    await simulation.clock.run(minute);
    expect(predecessor.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });

  it('leave it to the newer one also when the older one finds its record gone', async () => {
    const { simulation, predecessor, successor } = await succession();
    simulation.registry.forget('orders-0');
    await simulation.clock.run(10 * minute);
    const holders = [predecessor, successor].filter(({ core }) => core.state === 'registered');
    expect(holders).toHaveLength(1);
    const blocked = [predecessor, successor].filter(({ core }) => core.state === 'blocked');
    expect(blocked).toHaveLength(1);
  });

  it('are told of an id that the older one holds no more when it leaves: nothing is removed', async () => {
    const { simulation, predecessor } = await succession();
    await simulation.clock.run(5 * minute);
    await settled(simulation, predecessor.close());
    expect(isListedAt(simulation, newer)).toBe(true);
  });
});

describe('a process whose registration could not be read', () => {
  it('is not taken for another one when it is read later', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    const process = await simulation.registered({ verifyEvery: 2 });
    await clock.run(minute);
    registry.forget('orders-0');
    await clock.until(() => registry.count('registerInstance') === 2);
    registry.interfere = ({ operation }) => (operation === 'getInstance' ? 'lost' : undefined);
    await clock.until(() => process.core.snapshot().registrations === 2);
    registry.interfere = () => undefined;
    await clock.run(10 * minute);
    expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
    expect(takenOvers(process)).toBe(0);
    await settled(simulation, process.close());
    expect(registry.instances()).toEqual([]);
  });
});

describe('an operator’s word', () => {
  it('stands: OUTOFSERVICE set in the console, through losses and restarts of the registry', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    const process = await simulation.registered({ verifyEvery: 2 });
    await clock.run(minute);
    const { serviceId } = process.core.snapshot();
    const path = `/v4/default/registry/microservices/${serviceId}/instances/orders-0`;
    void registry.send({
      method: 'PUT',
      url: `http://a:1${path}/status?value=OUTOFSERVICE`,
      headers: {},
      body: undefined,
      timeoutMs: 5_000,
      maxAnswerBytes: 1_048_576,
      signal: undefined,
    });
    await clock.run(5 * minute);
    expect(registry.instances()).toMatchObject([{ status: 'OUTOFSERVICE' }]);
    registry.forget('orders-0');
    await clock.run(5 * minute);
    expect(registry.instances()).toMatchObject([{ status: 'OUTOFSERVICE' }]);
    expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });
});
