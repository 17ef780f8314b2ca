import { describe, expect, test } from '@jest/globals';
import type { Candidate } from '../../../lib/discovery/candidate.js';
import type { PickOptions } from '../../../lib/discovery/provider.js';
import { NoInstanceError } from '../../../lib/errors.js';
import { balancing, instanceOf, instancesOf, zoneOf } from '../../support/balancing.js';

/** The ids that calls go to, of so many picks as there can be instances here. */
function picked(of: ReturnType<typeof balancing>, options?: PickOptions): string[] {
  const ids = Array.from({ length: 20 }, () => of.balancer.pick(options).instance.instanceId);
  return [...new Set(ids)].toSorted();
}

/** The reason why nobody can be called. */
function lackOf(of: ReturnType<typeof balancing>, options?: PickOptions): unknown {
  try {
    return of.balancer.pick(options);
  } catch (error) {
    return error instanceof NoInstanceError ? { reason: error.reason, ...error.seen } : error;
  }
}

describe('candidates', () => {
  test('an instance with two endpoints has no double share', () => {
    const endpoints = ['rest://a:1', 'rest://a:2', 'http://a:3'];
    const two = balancing([instanceOf('a', { endpoints }), instanceOf('b')]);
    expect(two.picks(4)).toEqual(['a', 'b', 'a', 'b']);
    expect(two.balancer.pick().url).toBe('http://a:1');
  });

  test('the first endpoint of a scheme that is asked for is called', () => {
    const endpoints = ['highway://a:1', 'grpc://a:2', 'rest://a:3', 'rest://a:4?sslEnabled=true'];
    const { balancer } = balancing([instanceOf('a', { endpoints })]);
    expect(balancer.pick().url).toBe('http://a:3');
    expect(balancer.pick({ scheme: 'GRPC' }).url).toBe('grpc://a:2');
    expect(balancer.pick({ scheme: ['tcp', 'highway'] }).url).toBe('highway://a:1');
    expect(balancer.pick({ scheme: 'https' }).url).toBe('https://a:4');
  });

  test('an endpoint that cannot be read is skipped, and reported once', () => {
    const endpoints = ['rest://a', 'rest://a:1'];
    const one = balancing([instanceOf('a', { endpoints })]);
    expect(one.balancer.pick().url).toBe('http://a:1');
    one.balancer.update([instanceOf('a', { endpoints }), instanceOf('b', { endpoints })]);
    expect(one.balancer.pick({ scheme: 'rest' }).url).toBe('http://a:1');
    expect(one.skipped).toEqual(['rest://a']);
  });

  test('the turn goes on through a new list, and a changed record is used', () => {
    const two = balancing(instancesOf(2));
    expect(two.picks(1)).toEqual(['a']);
    two.balancer.update([instanceOf('a'), instanceOf('b', { properties: { changed: 'yes' } })]);
    expect(two.balancer.pick().instance.properties).toEqual({ changed: 'yes' });
  });

  test('many ways to ask do not disturb each other', () => {
    const { balancer } = balancing([
      instanceOf('a', { version: '1.0.0' }),
      instanceOf('b', { version: '2.0.0' }),
    ]);
    for (let round = 0; round < 2; round++)
      for (let minor = 0; minor < 40; minor++) {
        const versionRule = `1.${minor}.0+`;
        const ids = [1, 2].map(() => balancer.pick({ versionRule }).instance.instanceId);
        expect(ids.toSorted()).toEqual(minor === 0 ? ['a', 'b'] : ['b', 'b']);
      }
  });

  test('what was computed is kept for sixteen ways to ask, and the oldest goes', () => {
    let reads = 0;
    const counting = {
      get endpoints() {
        reads += 1;
        return ['rest://a:1'];
      },
    };
    const { balancer } = balancing([Object.setPrototypeOf(counting, instanceOf('a'))]);
    const isComputed = (options?: PickOptions) => {
      const before = reads;
      balancer.pick(options);
      return reads > before;
    };
    expect(isComputed()).toBe(true);
    for (let minor = 0; minor < 15; minor++) isComputed({ versionRule: `0.${minor}+` });
    expect(isComputed()).toBe(false);
    expect(isComputed({ versionRule: '0.0+' })).toBe(false);
    expect(isComputed({ versionRule: '0.15+' })).toBe(true);
    expect(isComputed({ versionRule: '0.14+' })).toBe(false);
    expect(isComputed({ versionRule: '0.0+' })).toBe(true);
  });

  test('a picker of a user gets the candidates, the key and the time', () => {
    const seen: unknown[] = [];
    const { balancer, clock } = balancing(instancesOf(2), {
      picker: (candidates, { turn, key, now }) => {
        seen.push([candidates.length, turn, key, now]);
        return candidates[0];
      },
    });
    balancer.pick({ key: 'k' });
    balancer.pick();
    expect(seen).toEqual([
      [2, 0, 'k', clock.now()],
      [2, 1, undefined, clock.now()],
    ]);
  });

  test('a picker that returns something else is a bug that surfaces', () => {
    const [candidate] = [balancing(instancesOf(1)).balancer.pick()];
    const { balancer } = balancing(instancesOf(1), { picker: () => ({ ...candidate }) });
    expect(() => balancer.pick()).toThrow(TypeError);
  });
});

describe('version and status', () => {
  const versions = [
    instanceOf('old', { version: '1.0.0' }),
    instanceOf('new', { version: '1.1.0' }),
    instanceOf('newest', { version: '2.0.0', status: 'DOWN' }),
  ];

  test('the rule of the provider applies, and a call narrows it', () => {
    const some = balancing(versions, { versionRule: '1.0.0-2.0.0' });
    expect(picked(some)).toEqual(['new', 'old']);
    expect(picked(some, { versionRule: 'latest' })).toEqual(['new']);
    expect(picked(some, { versionRule: '1.0' })).toEqual(['old']);
    expect(lackOf(some, { versionRule: '2.0.0' })).toMatchObject({ reason: 'none-of-version' });
  });

  test('latest is the newest version that is UP', () => {
    expect(picked(balancing(versions, { versionRule: 'latest' }))).toEqual(['new']);
  });

  test('a rule that is none is refused', () => {
    expect(() => balancing(versions, { versionRule: '>=1' })).toThrow(RangeError);
    expect(() => balancing(versions).balancer.pick({ versionRule: '^1' })).toThrow(RangeError);
  });

  test('instances that drain are called where none is UP, and only there', () => {
    const drained = instanceOf('drained', { status: 'OUTOFSERVICE' });
    const others = (['DOWN', 'STARTING', 'TESTING'] as const).map(status =>
      instanceOf(status, { status }),
    );
    expect(picked(balancing([drained, ...others, instanceOf('up')]))).toEqual(['up']);
    expect(picked(balancing([drained, ...others]))).toEqual(['drained']);
    expect(lackOf(balancing(others))).toMatchObject({ reason: 'none-up' });
  });

  test('an instance that is UP in another version does not hide one that drains', () => {
    const drained = instanceOf('drained', { status: 'OUTOFSERVICE', version: '2.0.0' });
    expect(picked(balancing([drained, instanceOf('up')], { versionRule: '2.0.0' }))).toEqual([
      'drained',
    ]);
  });

  test.each([
    ['none-registered', [], {}, { registered: 0, up: 0, fitting: 0 }],
    ['none-of-version', versions, { versionRule: '3+' }, { registered: 3, up: 2, fitting: 2 }],
    ['none-up', versions, { versionRule: '2+' }, { registered: 3, up: 2, fitting: 1 }],
    ['none-of-scheme', versions, { scheme: 'grpc' }, { registered: 3, up: 2, fitting: 2 }],
  ])('the error says %s', (reason, instances, options, seen) => {
    expect(lackOf(balancing(instances), options)).toEqual({ reason, ...seen });
  });
});

describe('zones', () => {
  const dataCenter = { name: 'here', region: 'north', availableZone: 'one' };
  const near = instanceOf('near', zoneOf('north', 'one'));
  const region = instanceOf('region', zoneOf('north', 'two'));
  const far = instanceOf('far', zoneOf('south', 'one'));
  const nowhere = instanceOf('nowhere');

  test('calls go to the own zone, else to the region, else to the rest', () => {
    const settings = { dataCenter };
    expect(picked(balancing([far, near, nowhere, region], settings))).toEqual(['near']);
    expect(picked(balancing([far, nowhere, region], settings))).toEqual(['region']);
    expect(picked(balancing([far, nowhere], settings))).toEqual(['far', 'nowhere']);
  });

  test('only never leaves the zone', () => {
    const settings = { dataCenter, zone: 'only' } as const;
    expect(picked(balancing([far, near, region], settings))).toEqual(['near']);
    expect(lackOf(balancing([far, region], settings))).toEqual({
      reason: 'none-in-zone',
      registered: 2,
      up: 2,
      fitting: 2,
    });
  });

  test('ignore takes all alike, as does a caller without a zone', () => {
    expect(picked(balancing([far, near, region], { dataCenter, zone: 'ignore' }))).toHaveLength(3);
    expect(picked(balancing([far, near, region], { zone: 'only' }))).toHaveLength(3);
  });

  test('a call leaves the zone from 8 calls under way there, when that is four times as many', () => {
    const two = balancing([near, far], { dataCenter });
    const call = () => void two.balancer.call(() => new Promise<never>(() => undefined));
    const pending = () => ['near', 'far'].map(id => two.balancer.standings().get(id)?.pending);
    for (let calls = 0; calls < 8; calls++) call();
    expect(pending()).toEqual([8, 0]);
    for (let calls = 0; calls < 2; calls++) call();
    expect(pending()).toEqual([8, 2]);
    call();
    expect(pending()).toEqual([8, 3]);
    for (let calls = 0; calls < 4; calls++) call();
    expect(pending()).toEqual([12, 3]);
    call();
    expect(pending()).toEqual([12, 4]);
  });

  test('calls leave a zone whose instances are all set aside', async () => {
    const two = balancing([near, far], { dataCenter });
    const refused = Object.assign(new Error(), { code: 'ECONNREFUSED' });
    const ids = [];
    const action = async ({ instance }: { instance: { instanceId: string } }) => {
      ids.push(instance.instanceId);
      if (instance.instanceId === 'near') throw refused;
      return 'answer';
    };
    expect(await two.balancer.call(action)).toBe('answer');
    expect(picked(two)).toEqual(['far']);
  });
});

test('a new list is also that of calls that ask for a scheme or a version', () => {
  const endpoints = (id: string) => [`grpc://${id}:1`];
  const of = balancing([instanceOf('a', { endpoints: endpoints('a') })]);
  const options = [{ scheme: 'grpc' }, { scheme: 'GRPC', versionRule: '1.0.0+' }];
  for (const each of options) expect(of.balancer.pick(each).url).toBe('grpc://a:1');
  of.balancer.update([instanceOf('b', { endpoints: endpoints('b') })]);
  for (const each of options) expect(of.balancer.pick(each).url).toBe('grpc://b:1');
});

test('endpoints that cannot be read are reported a hundred times at most', () => {
  const endpoints = Array.from({ length: 200 }, (_, nth) => `nonsense ${nth}`);
  const of = balancing([instanceOf('a', { endpoints })]);
  expect(() => of.balancer.pick()).toThrow(NoInstanceError);
  expect(of.skipped).toHaveLength(100);
});

test('an instance without endpoints cannot be called', () => {
  expect(lackOf(balancing([{ instanceId: 'a', hostName: '', status: 'UP' }]))).toMatchObject({
    reason: 'none-of-scheme',
  });
});

describe('a picker of the application', () => {
  test('that returns no candidate is a bug of its own, and the call fails with that', async () => {
    const none = balancing(instancesOf(2), { picker: candidates => ({ ...candidates[0] }) });
    expect(() => none.balancer.pick()).toThrow(TypeError);
    await expect(none.balancer.call(async () => 1)).rejects.toThrow('A picker must return one of');
    expect(none.balancer.standings().get('a')?.pending).toBe(0);
  });

  test('that returns one of before is told so, rather than calling what is gone', () => {
    let first: Candidate | undefined;
    const keeps = balancing(instancesOf(2), { picker: ([one]) => (first ??= one) });
    expect(keeps.balancer.pick().instance.instanceId).toBe('a');
    keeps.balancer.update(instancesOf(3).slice(1));
    expect(() => keeps.balancer.pick()).toThrow(TypeError);
  });

  test('that throws fails the call, which is not counted', async () => {
    const picker = (): never => {
      throw new Error('bug');
    };
    const { balancer, clock } = balancing(instancesOf(2), { picker });
    await expect(balancer.call(async () => 1)).rejects.toThrow('bug');
    expect(balancer.standings().get('a')?.pending).toBe(0);
    await clock.advance(1_000);
    expect(clock.sleepers).toBe(0);
  });
});
