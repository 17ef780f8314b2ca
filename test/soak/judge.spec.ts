import { describe, expect, it } from '@jest/globals';
import { type Fact, Judge, type SeenRecord, type Violation } from './judge.js';

const up: SeenRecord = { status: 'UP', properties: { zone: 'a' } };
const drained: SeenRecord = { status: 'OUTOFSERVICE', properties: { zone: 'a' } };
const one = 'orders';

/** A fact about the only client, or what the registry has of it. */
const start: Fact = { kind: 'started', client: one, instanceId: one };
const registered: Fact = { kind: 'state', client: one, state: 'registered' };
const heartbeat: Fact = { kind: 'heartbeat', client: one };
const listed = (record = up): Fact => ({ kind: 'sampled', records: new Map([[one, record]]) });
const unlisted: Fact = { kind: 'sampled', records: new Map() };
const called = (call: 'status' | 'properties' | 'register' | 'leave'): Fact => ({
  kind: 'called',
  client: one,
  call,
});
const left: Fact = { kind: 'left', client: one };
const decreed: Fact = { kind: 'decreed', instanceId: one, decree: { status: 'OUTOFSERVICE' } };

const joined: readonly Told[] = [
  [0, start],
  [100, registered],
  [150, listed()],
];

type Told = readonly [at: number, fact: Fact];

/** What a judge with a lease of 4 s says to a log. */
function verdict(...log: readonly Told[]): readonly string[] {
  const violations: Violation[] = [];
  const judge = new Judge(4_000, violation => violations.push(violation));
  for (const [at, fact] of log) judge.hear(at, fact);
  return violations.map(({ rule, at }) => `${rule} ${at}`);
}

describe('the lease', () => {
  it('is lost when the record vanishes, and that is told once', () => {
    expect(verdict(...joined, [9_000, unlisted], [9_050, unlisted])).toEqual(['lease 9000']);
  });

  it('is lost when the client says so, although the record is there', () => {
    const lost: Fact = { kind: 'lost', client: one, reason: 'not-found' };
    expect(verdict(...joined, [9_000, lost], [9_001, listed()])).toEqual(['lease 9000']);
  });

  it('is not lost by leave(), or by a client that was never registered', () => {
    expect(verdict(...joined, [9_000, called('leave')], [9_010, unlisted], [9_020, left])).toEqual(
      [],
    );
    expect(verdict([0, start], [150, listed()], [200, unlisted])).toEqual([]);
  });

  it.each([
    [2_000, ['lease 7000']],
    [2_001, []],
  ])('may be lost by a standstill of more than 2 s, of %i ms', (stoodMs, expected) => {
    const stopped: Fact = { kind: 'stopped', client: one };
    const resumed: Fact = { kind: 'resumed', client: one };
    const log: readonly Told[] = [
      [5_000 - stoodMs, stopped],
      [5_000, resumed],
      [7_000, unlisted],
    ];
    expect(verdict(...joined, ...log)).toEqual(expected);
  });

  it('is lost during a standstill that is no longer than 2 s', () => {
    const stopped: Fact = { kind: 'stopped', client: one };
    expect(verdict(...joined, [5_000, stopped], [6_500, unlisted])).toEqual(['lease 6500']);
    expect(verdict(...joined, [5_000, stopped], [8_500, unlisted])).toEqual([]);
  });

  const twin = (kind: 'left' | 'ended'): Fact => ({ kind, client: 'twin' });
  const shared: readonly Told[] = [
    ...joined,
    [1_000, { kind: 'started', client: 'twin', instanceId: one }],
    [1_100, { kind: 'state', client: 'twin', state: 'registered' }],
    [1_150, listed()],
  ];

  it('of two processes with one id belongs to the newer, and the older must leave it', () => {
    expect(verdict(...shared, [2_000, called('leave')], [2_010, unlisted])).toEqual(['lease 2010']);
  });

  it('of two processes with one id ends with the newer', () => {
    const leave: Fact = { kind: 'called', client: 'twin', call: 'leave' };
    expect(verdict(...shared, [2_000, leave], [2_010, unlisted], [2_020, twin('left')])).toEqual(
      [],
    );
  });

  it('of the newer may be gone when its end is told first', () => {
    expect(verdict(...shared, [2_000, twin('ended')], [2_010, unlisted])).toEqual([]);
  });

  it('belongs to the older again when the newer has ended', () => {
    const log: readonly Told[] = [
      [2_000, twin('ended')],
      [3_000, listed()],
      [4_000, unlisted],
    ];
    expect(verdict(...shared, ...log)).toEqual(['lease 4000']);
  });
});

describe('two heartbeats', () => {
  it.each([
    [200, ['pace 1200']],
    [230, []],
    [0, ['pace 1000']],
  ])('%i ms apart, to whatever address', (gapMs, expected) => {
    expect(verdict(...joined, [1_000, heartbeat], [1_000 + gapMs, heartbeat])).toEqual(expected);
  });

  it('are each told, and may be as close of two clients', () => {
    const other: Fact = { kind: 'heartbeat', client: 'other' };
    const log: readonly Told[] = [
      [10, { kind: 'started', client: 'other', instanceId: 'other' }],
      [1_000, heartbeat],
      [1_001, other],
      [1_100, heartbeat],
      [1_200, heartbeat],
    ];
    expect(verdict([0, start], ...log)).toEqual(['pace 1100', 'pace 1200']);
  });

  it('say nothing when the judge is late and hears them one after the other', () => {
    const late: readonly Told[] = [
      [2_000, { kind: 'lagged' }],
      [2_001, heartbeat],
      [2_070, heartbeat],
      [2_120, heartbeat],
    ];
    expect(verdict(...joined, [1_000, heartbeat], ...late)).toEqual([]);
    expect(verdict(...joined, ...late, [2_200, heartbeat])).toEqual(['pace 2200']);
  });

  it('say nothing where the judge was late, or the client stood still', () => {
    for (const between of [{ kind: 'lagged' }, { kind: 'resumed', client: one }] as const)
      expect(verdict(...joined, [1_000, heartbeat], [1_010, between], [1_020, heartbeat])).toEqual(
        [],
      );
  });
});

describe("an operator's change", () => {
  it('is undone by another status, and that is told once', () => {
    expect(verdict(...joined, [1_000, decreed], [1_050, listed(drained)])).toEqual([]);
    const undone: readonly Told[] = [
      [5_000, listed(up)],
      [5_050, listed(up)],
    ];
    expect(verdict(...joined, [1_000, decreed], ...undone)).toEqual(['operator 5000']);
  });

  it.each([{ zone: 'a' }, {}])('is undone by other properties, %j', properties => {
    const decree: Fact = {
      kind: 'decreed',
      instanceId: one,
      decree: { properties: { zone: 'b' } },
    };
    expect(verdict(...joined, [1_000, decree], [2_000, listed({ ...up, properties })])).toEqual([
      'operator 2000',
    ]);
  });

  it('is undone by a record that went and came back', () => {
    const log: readonly Told[] = [
      [1_000, decreed],
      [2_000, unlisted],
      [2_100, listed(up)],
    ];
    expect(verdict(...joined, ...log)).toEqual(['lease 2000', 'operator 2100']);
  });

  it('ends with what the application says to the same thing', () => {
    const drain: readonly Told[] = [...joined, [1_000, decreed]];
    expect(verdict(...drain, [2_000, called('status')], [2_100, listed(up)])).toEqual([]);
    expect(verdict(...drain, [2_000, called('properties')], [2_100, listed(up)])).toEqual([
      'operator 2100',
    ]);
  });
});

describe('a client that is registered without a record', () => {
  it('is wrong after a lease and a second', () => {
    const ghost: readonly Told[] = [
      [0, start],
      [0, registered],
      [0, unlisted],
    ];
    expect(verdict(...ghost, [5_000, unlisted])).toEqual([]);
    expect(verdict(...ghost, [5_001, unlisted])).toEqual(['ghost 5001']);
  });

  it('is not wrong once it says something else', () => {
    const log: readonly Told[] = [
      [0, start],
      [0, registered],
      [0, unlisted],
      [4_000, { kind: 'state', client: one, state: 'at-risk' }],
      [6_000, unlisted],
    ];
    expect(verdict(...log)).toEqual([]);
  });
});

describe('a client that wants to be registered', () => {
  it('must be so within ten seconds of its start', () => {
    const begin: readonly Told[] = [
      [0, start],
      [5_000, unlisted],
      [7_000, { kind: 'state', client: one, state: 'idle' }],
      [7_000, unlisted],
    ];
    expect(verdict(...begin, [17_000, unlisted])).toEqual([]);
    expect(verdict(...begin, [17_001, unlisted])).toEqual(['join 17001']);
  });

  it('may come back after leave() as slowly', () => {
    const log: readonly Told[] = [
      [1_000, called('leave')],
      [1_010, unlisted],
      [1_020, left],
      [1_020, { kind: 'state', client: one, state: 'left' }],
      [30_000, unlisted],
      [31_000, called('register')],
      [31_000, unlisted],
    ];
    expect(verdict(...joined, ...log, [41_000, unlisted])).toEqual([]);
    expect(verdict(...joined, ...log, [41_001, unlisted])).toEqual(['join 41001']);
  });
});

describe('after leave()', () => {
  const leave: readonly Told[] = [...joined, [1_000, called('leave')], [1_010, listed()]];

  it('nothing is listed, and that is told once', () => {
    expect(verdict(...leave, [1_020, left], [1_050, listed()], [1_100, listed()])).toEqual([
      'left 1050',
    ]);
  });

  it('has to be resolved, and another process with the same id may be listed', () => {
    expect(verdict(...leave)).toEqual([]);
    const twin: Fact = { kind: 'started', client: 'twin', instanceId: one };
    expect(verdict(...leave, [1_020, left], [1_030, twin], [1_050, listed()])).toEqual([]);
  });

  it('nothing is listed of a process that has ended, either', () => {
    expect(verdict(...joined, [2_000, { kind: 'ended', client: one }], [2_050, listed()])).toEqual([
      'left 2050',
    ]);
  });
});
