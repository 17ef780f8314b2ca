import { describe, expect, it } from '@jest/globals';
import type { InstanceChanged } from '../../../lib/model/changes.js';
import type { Oddities } from '../../../lib/index.js';
import { TestRegistry, refusalOf } from '../../support/registry.js';

/** Creates a registry with one service, and records what readers and watchers see of it. */
function stage(oddities: Oddities) {
  const registry = new TestRegistry({ oddities });
  const { clock } = registry;
  const serviceId = registry.service();
  const frames: string[] = [];
  const note = ({ kind, instance: { instanceId, status } }: InstanceChanged) =>
    frames.push(`${kind} ${instanceId} ${status}`);
  const stop = registry.model.onPublished(note);
  const path = (instanceId: string) => `/microservices/${serviceId}/instances/${instanceId}`;
  const told = (query = '') =>
    registry.ask(`GET /instances?appId=default&serviceName=orders${query}`);
  const seen = (query = '') =>
    (told(query).json.instances ?? []).map(({ instanceId }) => instanceId).toSorted();
  return {
    registry,
    clock,
    serviceId,
    frames,
    stop,
    path,
    told,
    seen,
    add: (instanceId: string, more = {}) => registry.instance(serviceId, { instanceId, ...more }),
    remove: (instanceId: string) => registry.ask(`DELETE ${path(instanceId)}`).status,
    read: (instanceId: string, query = '') =>
      registry.ask(`GET ${path(instanceId)}${query}`).json.instance,
    setStatus: (instanceId: string, status: string) =>
      registry.ask(`PUT ${path(instanceId)}/status?value=${status}`).status,
  };
}

/** The same with instances that are published already. */
function peopled(oddities: Oddities, ...instanceIds: string[]) {
  const staged = stage({});
  for (const instanceId of instanceIds) staged.add(instanceId);
  staged.frames.length = 0;
  staged.registry.model.oddities.set(oddities);
  return staged;
}

const shortLived = { healthCheck: { mode: 'push', interval: 5, times: 3 } };

describe('publicationMs', () => {
  it('keeps a registration from finds and watchers until nothing has changed for so long', () => {
    const { clock, add, seen, frames } = peopled({ publicationMs: 300 }, 'old');
    add('new');
    clock.advance(299);
    expect(seen()).toEqual(['old']);
    expect(frames).toEqual([]);
    clock.advance(1);
    expect(seen()).toEqual(['new', 'old']);
    expect(frames).toEqual(['registered new UP']);
  });

  it('starts anew with each change of any instance, so that traffic holds it off without end', () => {
    const { registry, clock, add, seen } = peopled({ publicationMs: 300 }, 'old');
    const other = registry.service({ serviceName: 'other' });
    add('new');
    for (let count = 0; count < 20; count += 1) {
      clock.advance(290);
      registry.instance(other);
    }
    expect(seen()).toEqual(['old']);
    clock.advance(300);
    expect(seen()).toEqual(['new', 'old']);
  });

  it('publishes a thousand changes even while they keep coming', () => {
    const { clock, add, setStatus, seen } = peopled({ publicationMs: 300 }, 'old');
    add('new');
    for (let count = 2; count < 1000; count += 1) setStatus('old', 'DOWN');
    expect(seen()).toEqual(['old']);
    setStatus('old', 'UP');
    expect(seen()).toEqual(['new', 'old']);
    expect(clock.timers).toBe(1);
  });

  it('is passed by noCache, and by a revision that is not the old one', () => {
    const { add, seen, told, registry, serviceId } = peopled({ publicationMs: 300 }, 'old');
    const before = told().headers['X-Resource-Revision'];
    add('new');
    expect(seen('&noCache=1')).toEqual(['new', 'old']);
    expect(seen('&rev=x')).toEqual(['new', 'old']);
    expect(told(`&rev=${before}`).status).toBe(304);
    const list = `GET /microservices/${serviceId}/instances`;
    expect(registry.ask(list).json.instances).toHaveLength(1);
    expect(registry.ask(`${list}?noCache=1`).json.instances).toHaveLength(2);
  });

  it('shows an instance as it was before its change', () => {
    const { clock, read, setStatus } = peopled({ publicationMs: 300 }, 'own');
    setStatus('own', 'DOWN');
    expect(read('own')?.status).toBe('UP');
    expect(read('own', '?noCache=1')?.status).toBe('DOWN');
    clock.advance(300);
    expect(read('own')?.status).toBe('DOWN');
  });

  it('holds for a batch of finds, each with its own revision', () => {
    const { registry, add } = peopled({ publicationMs: 300 }, 'old');
    add('new');
    const service = { appId: 'default', serviceName: 'orders' };
    const body = { services: [{ service }, { service, rev: 'x' }] };
    const { json } = registry.ask('POST /instances/action?type=query', { body });
    expect(json).toMatchObject({
      services: {
        updated: [
          { index: 0, instances: [{ instanceId: 'old' }] },
          { index: 1, instances: [{}, {}] },
        ],
      },
    });
  });

  it('shows what is new at once where nothing was known, unless that was asked for before', () => {
    const asked = stage({ publicationMs: 300 });
    expect(asked.seen()).toEqual([]);
    asked.add('new');
    expect(asked.seen()).toEqual([]);
    asked.clock.advance(300);
    expect(asked.seen()).toEqual(['new']);
    const fresh = stage({ publicationMs: 300 });
    fresh.add('new');
    expect(fresh.seen('&cacheOnly=1')).toEqual([]);
    expect(fresh.seen()).toEqual(['new']);
  });

  it('forgets what was asked for in vain once anything of the service is published', () => {
    const { clock, add, remove, seen } = stage({ publicationMs: 300 });
    expect(seen()).toEqual([]);
    add('a');
    remove('a');
    clock.advance(300);
    add('b');
    expect(seen()).toEqual(['b']);
  });

  it('notifies watchers of every change, in order and with its state at that time', () => {
    const { clock, add, setStatus, remove, frames } = stage({ publicationMs: 300 });
    add('own');
    setStatus('own', 'DOWN');
    setStatus('own', 'UP');
    remove('own');
    clock.advance(300);
    expect(frames).toEqual([
      'registered own UP',
      'updated own DOWN',
      'updated own UP',
      'removed own UP',
    ]);
  });

  it('lets the second of two quick writes undo the first', () => {
    const { registry, clock, path, read, setStatus } = peopled({ publicationMs: 300 }, 'own');
    const properties = { zone: 'a' };
    const put = () => registry.ask(`PUT ${path('own')}/properties`, { body: { properties } });
    setStatus('own', 'DOWN');
    clock.advance(200);
    put();
    expect(read('own', '?noCache=1')).toMatchObject({ status: 'UP', properties });
    clock.advance(300);
    setStatus('own', 'DOWN');
    clock.advance(300);
    put();
    expect(read('own', '?noCache=1')).toMatchObject({ status: 'DOWN', properties });
  });

  it('counts from the moment a lease ends, whether or not anybody asks', () => {
    const { clock, add, seen, stop } = stage({ publicationMs: 300 });
    stop();
    add('own', shortLived);
    clock.advance(20_299);
    expect(seen()).toEqual(['own']);
    clock.advance(1);
    expect(seen()).toEqual([]);
  });

  it('publishes what waits once it is 0, and leaves no timer', () => {
    const { registry, clock, add, seen, frames, stop } = peopled({ publicationMs: 300 }, 'old');
    add('new');
    stop();
    registry.model.oddities.set({ publicationMs: 0 });
    expect(seen()).toEqual(['new', 'old']);
    expect(clock.timers).toBe(0);
    expect(frames).toEqual([]);
  });

  it('does not notify anyone of instances that were removed with their service', () => {
    const { registry, clock, serviceId, add, frames } = stage({ publicationMs: 300 });
    add('own');
    registry.ask(`DELETE /microservices/${serviceId}?force=true`);
    registry.service();
    clock.advance(300);
    expect(frames).toEqual([]);
  });
});

describe('deletionWindowMs', () => {
  it('publishes removals together at the end of a window that the first of them opens', () => {
    const oddities = { deletionWindowMs: 2000, publicationMs: 300 };
    const { clock, remove, seen, frames } = peopled(oddities, 'a', 'b', 'c');
    remove('a');
    clock.advance(1990);
    remove('b');
    clock.advance(309);
    expect(seen()).toEqual(['a', 'b', 'c']);
    expect(seen('&noCache=1')).toEqual(['c']);
    clock.advance(1);
    expect(seen()).toEqual(['c']);
    expect(frames).toEqual(['removed a UP', 'removed b UP']);
    remove('c');
    clock.advance(2299);
    expect(seen()).toEqual(['c']);
    clock.advance(1);
    expect(seen()).toEqual([]);
  });

  it('holds for the end of a lease, too', () => {
    const { clock, add, seen } = stage({ deletionWindowMs: 2000 });
    add('own', shortLived);
    clock.advance(21_999);
    expect(seen()).toEqual(['own']);
    clock.advance(1);
    expect(seen()).toEqual([]);
  });

  it('forgets the removal of an instance that is registered again in the window', () => {
    const { clock, add, remove, seen, frames } = peopled({ deletionWindowMs: 2000 }, 'own');
    remove('own');
    add('own', { hostName: 'other' });
    clock.advance(5000);
    expect(seen()).toEqual(['own']);
    expect(frames).toEqual(['updated own UP']);
  });

  it('keeps a service from being removed while its instance is still seen', () => {
    const { registry, clock, remove, serviceId } = peopled({ deletionWindowMs: 2000 }, 'own');
    const unregister = () => registry.ask(`DELETE /microservices/${serviceId}`);
    remove('own');
    expect(refusalOf(unregister())).toMatch(/^400 400013/);
    clock.advance(2000);
    expect(unregister().status).toBe(200);
  });

  it('publishes what it holds once it is 0', () => {
    const { registry, remove, seen } = peopled({ deletionWindowMs: 2000 }, 'own');
    remove('own');
    registry.model.oddities.set({ deletionWindowMs: 0 });
    expect(seen()).toEqual([]);
  });
});

describe('selfPreservation', () => {
  const ten = Array.from({ length: 10 }, (_, index) => `i${index}`);
  const preserving = { selfPreservation: true, deletionWindowMs: 2000, publicationMs: 300 };

  function deserted(oddities: Oddities) {
    const staged = stage({});
    for (const instanceId of ten) staged.add(instanceId, shortLived);
    staged.registry.model.oddities.set(oddities);
    for (const instanceId of ten.slice(0, 8)) staged.remove(instanceId);
    return staged;
  }

  it.each([
    ['as long as their leases were', preserving, 20_300],
    ['also without a window of its own', { selfPreservation: true }, 20_000],
  ])('keeps most of all instances in finds %s', (_, oddities, ms) => {
    const { registry, clock, serviceId, seen } = deserted(oddities);
    const beat = () => ['i8', 'i9'].forEach(instanceId => registry.beat(serviceId, instanceId));
    expect(seen('&noCache=1')).toEqual(['i8', 'i9']);
    clock.advance(ms / 2);
    beat();
    clock.advance(ms / 2 - 1);
    expect(seen()).toEqual(ten);
    clock.advance(1);
    expect(seen()).toEqual(['i8', 'i9']);
  });

  it('holds back later removals while it lasts, and none after that', () => {
    const { clock, remove, add, seen } = deserted(preserving);
    clock.advance(10_000);
    remove('i8');
    clock.advance(10_300);
    expect(seen()).toEqual(['i8', 'i9']);
    clock.advance(10_000);
    // The lease of i9 ended at 20 s, so it is held back too.
    expect(seen()).toEqual(['i9']);
    clock.advance(10_000);
    expect(seen()).toEqual([]);
    add('last');
    clock.advance(300);
    remove('last');
    clock.advance(2300);
    expect(seen()).toEqual([]);
  });

  it('lets go of fewer than 80 in 100, and of few instances', () => {
    const many = peopled(preserving, ...ten);
    for (const instanceId of ten.slice(0, 7)) many.remove(instanceId);
    many.clock.advance(2300);
    expect(many.seen()).toHaveLength(3);
    const few = peopled(preserving, ...ten.slice(0, 5));
    for (const instanceId of ten.slice(0, 5)) few.remove(instanceId);
    few.clock.advance(2300);
    expect(few.seen()).toEqual([]);
  });

  it('does nothing when it is off, and lets go when it is turned off', () => {
    const off = deserted({ ...preserving, selfPreservation: false });
    off.clock.advance(2300);
    expect(off.seen()).toEqual(['i8', 'i9']);
    const turnedOff = deserted({ selfPreservation: true });
    turnedOff.registry.model.oddities.set({ selfPreservation: false });
    expect(turnedOff.seen()).toEqual(['i8', 'i9']);
  });
});

describe('lostDeletions', () => {
  const lossy = { lostDeletions: true, relistMinMs: 15_000, relistMaxMs: 15_000 };

  it('publishes removals only when the server lists everything anew', () => {
    const { clock, remove, seen, frames } = peopled(lossy, 'a', 'b');
    remove('a');
    clock.advance(10_000);
    remove('b');
    clock.advance(4999);
    expect(seen()).toEqual(['a', 'b']);
    expect(seen('&noCache=1')).toEqual([]);
    expect(frames).toEqual([]);
    clock.advance(1);
    expect(seen()).toEqual([]);
    expect(frames).toEqual(['removed a UP', 'removed b UP']);
  });

  it('draws the time of the list between its bounds, the same for the same seed', () => {
    const delayOf = (seed: number) => {
      const { clock, remove, seen } = peopled({ lostDeletions: true, seed }, 'own');
      const start = clock.now();
      remove('own');
      while (seen().length > 0) clock.advance(1000);
      return clock.now() - start;
    };
    const delays = [1, 2, 3, 1].map(delayOf);
    expect(new Set(delays).size).toBe(3);
    expect(delays[3]).toBe(delays[0]);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(15_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(118_000);
  });

  it('finds nothing amiss with an instance that is back by then', () => {
    const { clock, add, remove, seen, frames } = peopled(lossy, 'own');
    remove('own');
    add('own');
    clock.advance(60_000);
    expect(seen()).toEqual(['own']);
    expect(frames).toEqual(['updated own UP']);
  });

  it('lists at once when it is turned off', () => {
    const { registry, remove, seen, clock, stop } = peopled(lossy, 'own');
    stop();
    remove('own');
    registry.model.oddities.set({ lostDeletions: false });
    expect(seen()).toEqual([]);
    expect(clock.timers).toBe(0);
  });
});

describe('the dump of the cache and the details of a service', () => {
  it('show what is published', () => {
    const { registry, serviceId, remove } = peopled({ deletionWindowMs: 2000 }, 'own');
    remove('own');
    const { json } = registry.ask('GET /v4/default/admin/dump');
    const instances = [{ value: { instanceId: 'own' } }];
    expect(json).toMatchObject({ cache: { instances } });
    const detail = registry.ask(`GET /v4/default/govern/microservices/${serviceId}`);
    expect(detail.json.service).toMatchObject({ instances: [{ instanceId: 'own' }] });
  });
});
