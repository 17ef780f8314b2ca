import { beforeEach, describe, expect, it } from '@jest/globals';
import { Board, inWords, leaseLeft, runningLease } from '../../../../lib/page/browser/board.js';
import type { ChangeView, InstanceView, ServiceView } from '../../../../lib/page/messages.js';

const service = (name: string, more: Partial<ServiceView> = {}): ServiceView => ({
  key: `t\n${name}`,
  tenant: 't',
  serviceId: name,
  appId: 'shop',
  serviceName: name,
  version: '1.0.0',
  environment: '',
  properties: {},
  ...more,
});

const instance = (id: string, remainingMs = 60_000): InstanceView => ({
  key: `key of ${id}`,
  instanceId: id,
  hostName: 'node-1',
  status: 'UP',
  endpoints: ['rest://10.0.0.7:3000'],
  properties: {},
  lease: { lengthMs: 60_000, remainingMs, renewedAt: 5 },
});

const change = (kind: ChangeView['kind'], name: string, id?: string): ChangeView => ({
  kind,
  at: 1,
  service: service(name),
  ...(id === undefined ? {} : { instance: instance(id) }),
});

let board: Board;
const shown = (filter?: string) =>
  board
    .services(filter)
    .map(({ service, instances }) =>
      [service.serviceName, ...[...instances.values()].map(({ instanceId }) => instanceId)].join(
        ' ',
      ),
    );

beforeEach(() => {
  board = new Board();
  board.replace({ now: 0, services: [{ ...service('orders'), instances: [instance('a')] }] }, 1000);
});

describe('the board', () => {
  it('shows the registry it received, and nothing older', () => {
    board.replace({ now: 0, services: [{ ...service('greeter'), instances: [] }] }, 2000);
    expect(shown()).toEqual(['greeter']);
    expect([board.serviceCount, board.instanceCount]).toEqual([1, 0]);
  });

  it('follows instances that come and go', () => {
    board.change(change('registered', 'orders', 'b'), 1000);
    expect(shown()).toEqual(['orders a b']);
    board.change(change('expired', 'orders', 'a'), 1000);
    board.change(change('removed', 'orders', 'b'), 1000);
    expect(shown()).toEqual(['orders']);
  });

  it('follows services that come and go, with all that they have', () => {
    board.change(change('registered', 'greeter'), 1000);
    expect(shown()).toEqual(['greeter', 'orders a']);
    board.change(change('removed', 'orders'), 1000);
    expect(shown()).toEqual(['greeter']);
  });

  it('knows the service of an instance that it had not heard of', () => {
    board.change(change('registered', 'late', 'x'), 1000);
    expect(shown()).toEqual(['late x', 'orders a']);
  });

  it('moves the end of a lease that is renewed, and nothing else', () => {
    const lease = { lengthMs: 60_000, remainingMs: 60_000, renewedAt: 9 };
    const before = board.find('t\norders', 'key of a')?.instance;
    board.renew({ serviceKey: 't\norders', instanceKey: 'key of a', lease }, 5000);
    const after = board.find('t\norders', 'key of a')?.instance;
    expect(after).toEqual({ ...before, lease: { lengthMs: 60_000, endsAt: 65_000, renewedAt: 9 } });
    expect(after?.properties).toBe(before?.properties);
  });

  it('passes over the renewal of what it does not show', () => {
    const lease = { lengthMs: 1, remainingMs: 1, renewedAt: 1 };
    board.takeChanged();
    board.renew({ serviceKey: 'x', instanceKey: 'y', lease }, 0);
    board.renew({ serviceKey: 't\norders', instanceKey: 'y', lease }, 0);
    expect([...board.takeChanged()]).toEqual([]);
    expect(shown()).toEqual(['orders a']);
  });

  it('returns each changed service once', () => {
    board.takeChanged();
    board.change(change('updated', 'orders', 'a'), 0);
    expect([...board.takeChanged()]).toEqual(['t\norders']);
    expect([...board.takeChanged()]).toEqual([]);
  });

  it('is in the order of names, then of versions as numbers', () => {
    for (const version of ['10.0.0', '9.0.0'])
      board.change(
        { ...change('registered', 'a'), service: service('a', { key: version, version }) },
        0,
      );
    expect(board.services().map(({ service }) => service.version)).toEqual([
      '9.0.0',
      '10.0.0',
      '1.0.0',
    ]);
  });

  it.each(['ORD', ' shop ', 'node-1', '10.0.0.7', 'a'])('can be filtered by "%s"', filter => {
    board.change(change('registered', 'x'), 0);
    const others = { ...service('y', { appId: 'z' }), tenant: 'q' };
    board.change({ kind: 'registered', at: 1, service: others }, 0);
    expect(shown(filter)).toContain('orders a');
    expect(shown(filter)).not.toContain('y');
  });
});

const lease = runningLease({ lengthMs: 60_000, remainingMs: 60_000, renewedAt: 0 }, 1000);

describe('what is left of a lease', () => {
  it.each([
    [1000, 1, 'high', '60 s of 60 s left'],
    [31_000, 0.5, 'high', '30 s of 60 s left'],
    [41_000, 1 / 3, 'low', '20 s of 60 s left'],
    [55_000, 0.1, 'last', '6 s of 60 s left'],
    [61_000, 0, 'last', '0 s of 60 s left'],
    [99_000, 0, 'last', '0 s of 60 s left'],
  ])('at %i ms', (now, share, level, text) => {
    expect(leaseLeft(lease, now)).toEqual({ share, level, text });
  });

  it('is never more than all of it', () => {
    expect(leaseLeft(lease, 0).share).toBe(1);
  });

  it('is nothing of a lease without a length', () => {
    const none = runningLease({ lengthMs: 0, remainingMs: 0, renewedAt: 0 }, 0);
    expect(leaseLeft(none, 0).share).toBe(0);
  });
});

describe('a formatted duration', () => {
  it.each([
    [0, '0 s'],
    [1, '1 s'],
    [599_000, '599 s'],
    [600_000, '10 min'],
    [3_599_000, '59 min'],
    [9_000_000, '2 h 30 min'],
  ])('%i ms', (ms, words) => {
    expect(inWords(ms)).toBe(words);
  });
});
