import { describe, expect, it } from '@jest/globals';
import type { ApiAnswer } from 'embedded-service-center';
import type { Send } from '../../../lib/protocol/channel.js';
import type { OperationName } from '../../../lib/protocol/wire.js';
import { SimulatedClock } from '../../support/simulated-clock.js';
import { SimulatedProcess } from '../../support/simulated-process.js';
import { SimulatedRegistry } from '../../support/simulated-registry.js';
import { Simulation } from '../../support/simulation.js';

const minute = 60_000;
const [a, b] = ['http://a:1', 'http://b:1'] as const;

function refusal(errorCode: number, detail = ''): ApiAnswer {
  return json(Math.floor(errorCode / 1_000), { errorCode: `${errorCode}`, detail });
}

function json(status: number, body: object): ApiAnswer {
  const headers = { 'Content-Type': 'application/json' };
  return { status, headers, body: JSON.stringify(body) };
}

function page(status: number): ApiAnswer {
  return { status, headers: { 'Content-Type': 'text/html' }, body: '<html>No</html>' };
}

const wrongAnswers: readonly (readonly [string, ApiAnswer])[] = [
  ['400001', refusal(400_001)],
  ['"no such instance"', refusal(400_017)],
  ['"no such service"', refusal(400_012)],
  ['"no valid resouce scope"', refusal(401_201, 'no valid resouce scope')],
  ['401204', refusal(401_204)],
  ['403001', refusal(403_001)],
  ['404 with an errorCode', json(404, { errorCode: '404001' })],
  ['a page with 401', page(401)],
  ['a page with 403', page(403)],
  ['a page with 404', page(404)],
];

describe('one node of two', () => {
  /** Everything that the node at `address` gets is answered like this. */
  function answering(simulation: Simulation, address: string, answer: ApiAnswer): void {
    simulation.registry.interfere = note => (note.address === address ? answer : undefined);
  }

  it('that did not know a new service yet is asked for its opinion later', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    await simulation.registered({ addresses: [a, b], instanceId: 'orders-9' });
    registry.interfere = ({ address, operation }) =>
      address === a && operation === 'getExistence' ? refusal(400_012) : undefined;
    const process = await simulation.registered({ addresses: [a, b] });
    const { address } = process.core.snapshot();
    answering(simulation, address, refusal(400_012));
    await clock.run(minute);
    expect(process.names()).not.toContain('instance.lost');
  });

  it.each(wrongAnswers)(
    'that answers %s to everything costs no lease and no registration',
    async (_, answer) => {
      const simulation = new Simulation();
      const { clock, registry } = simulation;
      const process = await simulation.registered({ addresses: [a, b], verifyEvery: 2 });
      answering(simulation, a, answer);
      await clock.run(10 * minute);
      expect(process.names()).not.toContain('instance.lost');
      expect(process.names()).not.toContain('heartbeat.failed');
      expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
      expect(registry.count('registerInstance')).toBe(1);
      expect(simulation.isListed()).toBe(true);
    },
  );

  it.each(wrongAnswers)(
    'that answers %s to everything does not keep an instance from being registered',
    async (_, answer) => {
      const simulation = new Simulation();
      const { clock } = simulation;
      answering(simulation, a, answer);
      const process = simulation.process({ addresses: [a, b] });
      process.start();
      await clock.run(2_000);
      expect(process.core.state).toBe('registered');
      expect(simulation.isListed()).toBe(true);
      await clock.run(10 * minute);
      expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
      expect(process.names()).not.toContain('registration.blocked');
    },
  );

  it.each(wrongAnswers)(
    'that answers %s to everything loses no lease where it is the second one',
    async (_, answer) => {
      const simulation = new Simulation();
      const { clock } = simulation;
      answering(simulation, b, answer);
      const process = await simulation.registered({ addresses: [a, b], verifyEvery: 2 });
      await clock.run(30 * minute);
      expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
      expect(process.names()).not.toContain('instance.lost');
      expect(simulation.isListed()).toBe(true);
    },
  );

  it('that knows no service loses no lease with the shortest interval, whose deadlines are short', async () => {
    const simulation = new Simulation();
    const isWrong = (operation?: string) =>
      operation !== 'getExistence' && operation !== 'getVersion';
    simulation.registry.interfere = ({ address, operation }) =>
      address === b && isWrong(operation) ? refusal(400_012) : undefined;
    const process = await simulation.registered({ addresses: [a, b], intervalMs: 1_000 });
    await simulation.clock.run(minute);
    expect(process.names()).not.toContain('instance.lost');
    expect(process.names()).not.toContain('heartbeat.failed');
    expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
  });

  it.each(['getInstance', 'heartbeat', 'registerInstance', 'getExistence'] as const)(
    'that is wrong about %s alone is left for the other',
    async operation => {
      const simulation = new Simulation();
      const { clock, registry } = simulation;
      registry.interfere = note =>
        note.address === a && note.operation === operation ? refusal(400_017) : undefined;
      const process = await simulation.registered({ addresses: [a, b], verifyEvery: 1 });
      await clock.run(10 * minute);
      expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
      expect(registry.count('registerInstance')).toBeLessThanOrEqual(2);
    },
  );
});

describe('a wrong node that is asked since the good one has just failed', () => {
  const gone = [
    ['"no such instance"', refusal(400_017)],
    ['"no such service"', refusal(400_012)],
  ] as const;

  it.each(
    gone.flatMap(([name, answer]) => [
      ['getInstance', name, answer] as const,
      ['heartbeat', name, answer] as const,
    ]),
  )('at %s, and answers %s, costs no lease', async (operation, _, answer) => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    let asked = 0;
    registry.interfere = note => {
      if (note.address === b) return answer;
      if (note.operation !== operation) return undefined;
      asked += 1;
      return asked % 5 === 4 ? page(503) : undefined;
    };
    const process = await simulation.registered({ addresses: [a, b], verifyEvery: 1 });
    await clock.run(10 * minute);
    expect(process.names()).not.toContain('instance.lost');
    expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
  });
});

describe('a removal', () => {
  it.each(wrongAnswers)('that one node answers with %s is made at the other', async (_, answer) => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    const process = await simulation.registered({ addresses: [a, b] });
    await clock.run(minute);
    registry.interfere = ({ address }) => (address === a ? answer : undefined);
    const closed = process.close();
    await clock.run(3_000);
    await closed;
    expect(simulation.isListed()).toBe(false);
    expect(process.names()).toContain('instance.unregistered');
  });
});

describe('a refusal that all nodes give', () => {
  it('counts: the instance is forgotten, and registered again', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    const process = await simulation.registered({ addresses: [a, b] });
    registry.forget('orders-0');
    await clock.run(20_000);
    expect(process.names()).toContain('instance.lost');
    expect(simulation.isListed()).toBe(true);
    expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 2 });
  });

  it('counts also when the other node does not answer', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    await simulation.registered({ addresses: [a, b] });
    registry.weatherAt.set(b, 'hangs');
    registry.forget('orders-0');
    await clock.run(25_000);
    expect(simulation.isListed()).toBe(true);
  });
});

describe('heartbeats', () => {
  it('to one node and the other are 250 ms apart', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    await simulation.registered({ addresses: [a, b] });
    const answers = [refusal(400_001), refusal(400_017), page(403)];
    registry.interfere = ({ address, operation }) =>
      operation === 'heartbeat' && (address === a || simulation.draw() < 0.3)
        ? answers[Math.floor(simulation.draw() * answers.length)]
        : undefined;
    await clock.run(30 * minute);
    const at = registry.requests
      .filter(({ operation }) => operation === 'heartbeat')
      .map(note => note.at);
    expect(at.length).toBeGreaterThan(100);
    const gaps = at.slice(1).map((each, index) => each - (at[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250);
  });
});

describe('a gateway before the only node', () => {
  it.each([401, 403])(
    'that answers %i for 20 s delays a registration by the ordinary backoff',
    async status => {
      const simulation = new Simulation();
      const { clock, registry } = simulation;
      registry.interfere = () => page(status);
      const process = simulation.process();
      process.start();
      await clock.run(20_000);
      registry.interfere = () => undefined;
      expect(await clock.until(() => simulation.isListed())).toBeLessThan(16_000);
      expect(process.names()).not.toContain('registration.blocked');
    },
  );

  it('that goes on refusing is asked once a minute from the second one on', async () => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    registry.interfere = () => page(403);
    const process = simulation.process();
    process.start();
    await clock.run(3 * minute);
    expect(process.core.state).toBe('blocked');
    const since = clock.now();
    await clock.run(10 * minute);
    expect(registry.count('getExistence', since)).toBeLessThanOrEqual(11);
  });

  it.each([401, 403])('that answers %i for 50 s costs no lease', async status => {
    const simulation = new Simulation();
    const { clock, registry } = simulation;
    const process = await simulation.registered();
    await clock.run(minute);
    registry.interfere = () => page(status);
    await clock.run(55_000 - (process.core.snapshot().renewedAgoMs ?? 0));
    registry.interfere = () => undefined;
    await clock.run(minute);
    expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
  });
});

/** A registry whose nodes have a store each. */
class Split {
  readonly clock = new SimulatedClock();
  readonly stores = {
    [a]: new SimulatedRegistry(this.clock),
    [b]: new SimulatedRegistry(this.clock),
  };

  readonly send: Send = request => this.#storeOf(new URL(request.url).origin).send(request);

  start(...addresses: readonly [string, string]): SimulatedProcess {
    const process = new SimulatedProcess(this.clock, this, { addresses });
    process.start();
    return process;
  }

  isListed(address: string): boolean {
    return this.#storeOf(address).instances().length > 0;
  }

  count(operation: OperationName): number {
    return Object.values(this.stores).reduce((sum, each) => sum + each.count(operation), 0);
  }

  #storeOf(address: string): SimulatedRegistry {
    return address === a ? this.stores[a] : this.stores[b];
  }
}

describe('a node with a store of its own', () => {
  it('takes no instance away from the good one, which did not answer once', async () => {
    const split = new Split();
    const { clock, stores } = split;
    const process = split.start(a, b);
    await clock.run(minute);
    stores[a].weather = 'hangs';
    await clock.until(() => process.core.snapshot().address === b);
    stores[a].weather = 'fine';
    const since = clock.now();
    while (clock.now() < since + 10 * minute) {
      await clock.run(500);
      expect(split.isListed(a)).toBe(true);
    }
    expect(process.names()).not.toContain('instance.lost');
  });

  it.each([
    ['first', b, a],
    ['last', a, b],
  ] as const)(
    'and the good one both list an instance that starts with it %s, all the time',
    async (_, first, second) => {
      const split = new Split();
      const { clock } = split;
      const process = split.start(first, second);
      await clock.run(20_000);
      const since = clock.now();
      while (clock.now() < since + 60 * minute) {
        await clock.run(1_000);
        expect([split.isListed(a), split.isListed(b)]).toEqual([true, true]);
      }
      expect(process.core.snapshot()).toMatchObject({ state: 'registered', registrations: 1 });
      expect(split.count('registerInstance')).toBeLessThan(5);
    },
  );

  it.each([
    ['for longer than a lease', 5 * minute, minute],
    ['until its lease at the other had begun', 0, 10 * minute],
  ] as const)(
    'that was silent at the start gets the good one back, which was away %s',
    async (_, awayMs, withinMs) => {
      const split = new Split();
      const { clock, stores } = split;
      stores[b].weather = 'hangs';
      const process = split.start(a, b);
      await clock.run(minute);
      stores[b].weather = 'fine';
      stores[a].weather = 'hangs';
      await clock.until(() => split.isListed(b));
      await clock.run(awayMs);
      stores[a].weather = 'fine';
      await clock.run(withinMs);
      expect([split.isListed(a), split.isListed(b)]).toEqual([true, true]);
      expect(process.core.state).toBe('registered');
    },
  );

  it('that was silent at the start lists the instance after the next read-back', async () => {
    const split = new Split();
    const { clock, stores } = split;
    stores[b].weather = 'hangs';
    split.start(a, b);
    await clock.run(minute);
    stores[b].weather = 'fine';
    await clock.run(3 * minute);
    expect([split.isListed(a), split.isListed(b)]).toEqual([true, true]);
  });

  it.each([0, 7, 14, 21])('keeps no instance that leaves %d s later', async seconds => {
    const split = new Split();
    const { clock } = split;
    const process = split.start(a, b);
    await clock.run(2 * minute + seconds * 1_000);
    const closed = process.close();
    await clock.run(3_000);
    await closed;
    expect([split.isListed(a), split.isListed(b)]).toEqual([false, false]);
    expect(process.names()).toContain('instance.unregistered');
  });

  it.each([0, 7, 14, 21])('lets an instance drain that shuts down %d s later', async seconds => {
    const split = new Split();
    const { clock, stores } = split;
    const process = split.start(a, b);
    await clock.run(2 * minute + seconds * 1_000);
    void process.core.drain();
    await clock.run(1_000);
    const statuses = [a, b].flatMap(each => stores[each].instances().map(({ status }) => status));
    expect(statuses).toContain('OUTOFSERVICE');
  });
});
