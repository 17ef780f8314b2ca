import { describe, expect, it } from '@jest/globals';
import type { StoredInstance } from '../../../lib/protocol/wire.js';
import {
  believed,
  type Fact,
  isInDoubt,
  keptOf,
  keptUntil,
  type Outcome,
  type ProviderState,
  transition,
  unasked,
} from '../../../lib/discovery/provider-state.js';
import { instanceOf, unreachable } from '../../support/fake-providers.js';

const keepMs = 120_000;

/** A provider, to which one thing happens after the other, a second apart. */
class Subject {
  state: ProviderState = unasked;
  facts: readonly Fact[] = [];
  now = 1_000;

  constructor(private readonly keepMs = 120_000) {}

  take(outcome: Outcome, afterMs = 1_000): this {
    this.now += afterMs;
    const { state, facts } = transition(this.state, outcome, {
      now: this.now,
      keepMs: this.keepMs,
    });
    this.state = state;
    this.facts = facts;
    return this;
  }

  lists(...instances: readonly (string | StoredInstance)[]): this {
    return this.take({
      kind: 'listed',
      askedAt: this.now + 1_000,
      revision: 'r',
      instances: instances.map(each => (typeof each === 'string' ? instanceOf(each) : each)),
    });
  }

  isAbsent(): this {
    return this.take({ kind: 'absent', askedAt: this.now + 1_000 });
  }

  fails(): this {
    return this.take({ kind: 'failed', error: unreachable() });
  }

  get ids(): readonly string[] {
    return idsOf(believed(this.state));
  }

  get kept(): readonly string[] {
    return idsOf(keptOf(this.state).map(({ instance }) => instance));
  }

  get kinds(): readonly string[] {
    return this.facts.map(({ kind }) => kind);
  }
}

function idsOf(instances: readonly StoredInstance[]): readonly string[] {
  return instances.map(({ instanceId }) => instanceId);
}

function some(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `i-${index}`);
}

describe('what an answer means', () => {
  it('a first list is believed, with its revision, and changes what may be called', () => {
    const subject = new Subject().lists('b', 'a');
    expect(subject.state).toMatchObject({ kind: 'known', revision: 'r', pulledAt: 2_000 });
    expect(subject.ids).toEqual(['a', 'b']);
    expect(subject.facts).toEqual([
      { kind: 'changed', added: [instanceOf('a'), instanceOf('b')], removed: [], updated: [] },
    ]);
  });

  it('a later list tells what was added, removed and updated', () => {
    const changed = instanceOf('b', { endpoints: ['rest://elsewhere:80'] });
    const subject = new Subject().lists('a', 'b', 'c').lists('d', changed, 'c');
    expect(subject.facts).toEqual([
      {
        kind: 'changed',
        added: [instanceOf('d')],
        removed: [instanceOf('a')],
        updated: [changed],
      },
    ]);
  });

  it('the same list in another order is no change, and keeps the same objects', () => {
    const subject = new Subject().lists('a', 'b');
    const before = believed(subject.state);
    expect(subject.lists('b', 'a').facts).toEqual([]);
    expect(believed(subject.state)).toBe(before);
  });

  it('an instance that is listed twice counts once', () => {
    expect(new Subject().lists('a', 'a', 'b').ids).toEqual(['a', 'b']);
  });

  it('a change of what may not be called is no fact', () => {
    const starting = instanceOf('b', { status: 'STARTING' });
    const subject = new Subject().lists('a', starting);
    const testing = instanceOf('b', { status: 'TESTING' });
    expect(subject.lists('a', testing).facts).toEqual([]);
    expect(subject.ids).toEqual(['a', 'b']);
  });

  it('an instance that drains is removed from what may be called while others are UP', () => {
    const drains = instanceOf('a', { status: 'OUTOFSERVICE' });
    const subject = new Subject().lists('a', 'b').lists(drains, 'b');
    expect(subject.facts).toMatchObject([{ kind: 'changed', removed: [{ instanceId: 'a' }] }]);
  });

  it('the last one that is UP may be called on when it drains', () => {
    const drains = instanceOf('a', { status: 'OUTOFSERVICE' });
    const subject = new Subject().lists('a').lists(drains);
    expect(subject.facts).toMatchObject([{ kind: 'changed', removed: [], updated: [drains] }]);
  });

  it('"not modified" is as good an answer as a list', () => {
    const subject = new Subject().lists('a').take({ kind: 'unchanged' });
    expect(subject.state).toMatchObject({ kind: 'known', pulledAt: subject.now, revision: 'r' });
    expect(subject.facts).toEqual([]);
  });

  it('a first list without instances is known to be empty', () => {
    const subject = new Subject().lists();
    expect(subject.state).toMatchObject({ kind: 'known', listed: [] });
    expect(subject.facts).toEqual([]);
  });

  it('an unknown service that nothing is known of is absent', () => {
    const subject = new Subject().isAbsent();
    expect(subject.state).toMatchObject({ kind: 'absent', kept: [] });
    expect(subject.facts).toEqual([]);
  });

  it('an unknown service that had no instances is absent at once', () => {
    expect(new Subject().lists().isAbsent().state).toMatchObject({ kind: 'absent', kept: [] });
  });

  it('a failure leaves the list, counts, and makes the next answer doubtful', () => {
    const subject = new Subject().lists('a').fails();
    expect(subject.facts).toMatchObject([{ kind: 'failed', failures: 1 }]);
    expect(subject.fails().facts).toMatchObject([{ kind: 'failed', failures: 2 }]);
    expect(subject.ids).toEqual(['a']);
    expect(isInDoubt(subject.state)).toBe(true);
  });

  it('a good answer after failures ends the row', () => {
    const subject = new Subject().lists('a').fails().fails().lists('a');
    expect(subject.facts).toMatchObject([{ kind: 'recovered', failures: 2 }]);
    expect(subject.state.trouble).toBeUndefined();
    expect(isInDoubt(subject.state)).toBe(false);
  });
});

describe('an answer is doubted', () => {
  it('when it is empty', () => {
    const subject = new Subject().lists('a', 'b').lists();
    expect(subject.ids).toEqual(['a', 'b']);
    expect(subject.kept).toEqual(['a', 'b']);
    expect(subject.facts).toEqual([
      {
        kind: 'doubted',
        kept: [instanceOf('a'), instanceOf('b')],
        keptForMs: keepMs,
        reason: 'empty',
      },
    ]);
  });

  it('when the service is unknown all at once', () => {
    const subject = new Subject().lists('a').isAbsent();
    expect(subject.state).toMatchObject({ kind: 'absent' });
    expect(subject.ids).toEqual(['a']);
    expect(subject.facts).toMatchObject([{ kind: 'doubted', reason: 'absent' }]);
  });

  it('when it lacks 80 % of more than five', () => {
    const subject = new Subject().lists(...some(10)).lists('i-0', 'i-1');
    expect(subject.facts).toMatchObject([{ kind: 'doubted', reason: 'shrunk' }]);
    expect(subject.ids).toEqual(some(10));
    expect(subject.kept).toHaveLength(8);
  });

  it('when it is the first after a failure', () => {
    const subject = new Subject().lists('a', 'b').fails().lists('a');
    expect(subject.kept).toEqual(['b']);
    expect(subject.facts).toMatchObject([
      { kind: 'doubted', reason: 'after-outage' },
      { kind: 'recovered' },
    ]);
  });

  it('when it is the first after the watch was cut or our own instance was lost', () => {
    const subject = new Subject().lists('a', 'b').take({ kind: 'shaken' });
    expect(subject.facts).toEqual([]);
    expect(subject.lists('b').kept).toEqual(['a']);
  });

  it('while a doubt is open', () => {
    const subject = new Subject().lists('a', 'b', 'c').fails().lists('b', 'c').lists('c');
    expect(subject.kept).toEqual(['a', 'b']);
    expect(subject.ids).toEqual(['a', 'b', 'c']);
    expect(subject.kinds).toEqual([]);
  });

  it('also by the one that was asked for later, when one was under way as the doubt arose', () => {
    const subject = new Subject().lists('a', 'b').take({ kind: 'shaken' });
    const shakenAt = subject.now;
    const instances = [instanceOf('a'), instanceOf('b')];
    subject.take({ kind: 'listed', askedAt: shakenAt - 1, revision: 'r', instances });
    expect(isInDoubt(subject.state)).toBe(true);
    expect(subject.lists('a').kept).toEqual(['b']);
  });
});

describe('an answer is believed', () => {
  it('when it lacks some, and nothing is in doubt', () => {
    const subject = new Subject().lists(...some(10)).lists('i-0', 'i-1', 'i-2');
    expect(subject.ids).toEqual(['i-0', 'i-1', 'i-2']);
    expect(subject.kinds).toEqual(['changed']);
  });

  it('when it lacks 80 % of five', () => {
    expect(new Subject().lists(...some(5)).lists('i-0').ids).toEqual(['i-0']);
  });

  it('whatever it lacks, when nothing is to be kept', () => {
    const subject = new Subject(0).lists('a').lists();
    expect(subject.ids).toEqual([]);
    expect(subject.kinds).toEqual(['changed']);
  });

  it('once the doubt is over', () => {
    const subject = new Subject().lists('a', 'b').fails().lists('a').lists('a', 'b').lists('b');
    expect(subject.ids).toEqual(['b']);
  });
});

describe('ten thousand instances', () => {
  it('are kept, listed again and forgotten without a stall', () => {
    const subject = new Subject().lists(...some(10_000)).lists();
    expect(subject.kept).toHaveLength(10_000);
    const startedAt = performance.now();
    expect(subject.lists(...some(5_000)).kept).toHaveLength(5_000);
    expect(keptUntil(subject.state)).toBe(subject.now - 1_000 + keepMs);
    expect(subject.take({ kind: 'elapsed' }, keepMs).ids).toHaveLength(5_000);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('what is kept', () => {
  it('is dropped by its first failed call', () => {
    const subject = new Subject().lists('a', 'b').lists();
    subject.take({ kind: 'call-failed', instanceId: 'a', isUnsent: false });
    expect(subject.ids).toEqual(['b']);
    expect(subject.facts).toMatchObject([{ kind: 'changed', removed: [{ instanceId: 'a' }] }]);
  });

  it('is dropped when its time is over, not when an empty answer is repeated', () => {
    const subject = new Subject().lists('a').lists();
    const until = subject.now + keepMs;
    expect(keptUntil(subject.state)).toBe(until);
    subject.lists().lists();
    expect(keptUntil(subject.state)).toBe(until);
    expect(subject.take({ kind: 'elapsed' }, until - subject.now - 1).ids).toEqual(['a']);
    expect(subject.take({ kind: 'elapsed' }, 1).ids).toEqual([]);
    expect(subject.kinds).toEqual(['changed']);
    expect(subject.lists().kinds).toEqual([]);
  });

  it('is listed again, with what the registry now says of it', () => {
    const drains = instanceOf('a', { status: 'OUTOFSERVICE' });
    const subject = new Subject().lists('a', 'b').lists().lists(drains);
    expect(subject.kept).toEqual(['b']);
    expect(believed(subject.state)).toContainEqual(drains);
  });

  it('is replaced by one with another id at its endpoint, which is the same process', () => {
    const subject = new Subject().lists('a', 'b').lists();
    const again = instanceOf('z', { endpoints: ['rest://a:80'] });
    expect(subject.lists(again).ids).toEqual(['b', 'z']);
  });

  it('does not include one that is listed at another endpoint', () => {
    const moved = instanceOf('a', { endpoints: ['rest://elsewhere:80'] });
    const subject = new Subject().lists('a', 'b').fails().lists(moved, 'b');
    expect(subject.kept).toEqual([]);
    expect(believed(subject.state)).toEqual([moved, instanceOf('b')]);
  });

  it('of an unknown service comes back with the service', () => {
    const subject = new Subject().lists('a').isAbsent().lists('a');
    expect(subject.state).toMatchObject({ kind: 'known', kept: [] });
    expect(isInDoubt(subject.state)).toBe(false);
  });

  it('is told once, also when more is missing while the doubt is open', () => {
    const subject = new Subject().lists('a', 'b', 'c').fails().lists('b', 'c');
    expect(subject.kinds).toContain('doubted');
    expect(subject.lists().kinds).toEqual([]);
    expect(subject.kept).toEqual(['a', 'b', 'c']);
  });

  it('is told once until the doubt is over, and again in the next doubt', () => {
    const subject = new Subject().lists('a', 'b').lists();
    expect(subject.isAbsent().kinds).toEqual([]);
    expect(subject.lists('a').kinds).toEqual([]);
    expect(subject.lists('a', 'b').kinds).toEqual([]);
    expect(subject.lists().kinds).toEqual(['doubted']);
  });

  it('a failed call of what is listed changes nothing', () => {
    const subject = new Subject().lists('a');
    const before = subject.state;
    const outcome = { kind: 'call-failed', instanceId: 'a', isUnsent: false } as const;
    expect(subject.take(outcome).state).toBe(before);
  });

  it('does not include what calls could not reach just before', () => {
    const unsent = { kind: 'call-failed', instanceId: 'a', isUnsent: true } as const;
    const subject = () => new Subject().lists('a', 'b').take(unsent);
    expect(subject().ids).toEqual(['a', 'b']);
    expect(subject().lists().kept).toEqual(['b']);
    expect(subject().take({ kind: 'reached', instanceId: 'a' }).lists().kept).toEqual(['a', 'b']);
    expect(subject().take({ kind: 'elapsed' }, 60_000).lists().kept).toEqual(['a', 'b']);
  });

  it('includes what calls could not reach where they reach nobody', () => {
    const subject = new Subject().lists('a', 'b');
    for (const instanceId of ['a', 'b'])
      subject.take({ kind: 'call-failed', instanceId, isUnsent: true });
    expect(subject.lists().kept).toEqual(['a', 'b']);
  });
});
