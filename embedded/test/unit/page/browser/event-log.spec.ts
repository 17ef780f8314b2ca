import { describe, expect, it } from '@jest/globals';
import { EventLog, summaryOf } from '../../../../lib/page/browser/event-log.js';
import type { ChangeView } from '../../../../lib/page/messages.js';

const change = (kind: ChangeView['kind'], instanceId?: string): ChangeView => ({
  kind,
  at: 1,
  service: {
    key: 'k',
    tenant: 't',
    serviceId: 's',
    appId: 'a',
    serviceName: 'orders',
    version: '1.0.0',
    environment: '',
    properties: {},
  },
  ...(instanceId === undefined
    ? {}
    : {
        instance: {
          key: instanceId,
          instanceId,
          hostName: 'h',
          status: 'UP',
          endpoints: [],
          properties: {},
          lease: null,
        },
      }),
});

const texts = (log: EventLog) => log.lines.map(({ kind, text }) => `${kind} ${text}`);

describe('the log of events', () => {
  it('has the newest first', () => {
    const log = new EventLog();
    log.add(change('registered'));
    log.add(change('expired', 'own'));
    expect(texts(log)).toEqual(['expired orders 1.0.0 own', 'registered service orders 1.0.0']);
  });

  it('gives renewals that follow each other one line, which counts them', () => {
    const log = new EventLog();
    log.addRenewals(['orders own'], 1000);
    expect(texts(log)).toEqual(['renewed orders own']);
    log.addRenewals(['orders own'], 2000);
    expect(texts(log)).toEqual(['renewed orders own']);
    log.addRenewals(['orders b', 'orders c', 'orders d'], 3000);
    expect(texts(log)).toEqual(['renewed 5 leases']);
  });

  it('gives renewals after another event, or five seconds, a line of their own', () => {
    const log = new EventLog();
    log.addRenewals(['a'], 1000);
    log.addRenewals(['b'], 6000);
    log.add(change('updated', 'own'));
    log.addRenewals(['c'], 6001);
    expect(texts(log)).toEqual(['renewed c', 'updated orders 1.0.0 own', 'renewed b', 'renewed a']);
  });

  it('starts again with a history, and loses the renewals', () => {
    const log = new EventLog();
    log.addRenewals(['a'], 1000);
    log.add(change('removed', 'own'));
    log.replace([change('registered'), change('registered', 'own')]);
    expect(texts(log)).toEqual(['registered orders 1.0.0 own', 'registered service orders 1.0.0']);
  });

  it('counts renewals anew after it has started again, also with an empty history', () => {
    const log = new EventLog();
    log.addRenewals(['a', 'b'], 1000);
    log.replace([]);
    log.addRenewals(['a', 'b'], 1001);
    expect(texts(log)).toEqual(['renewed 2 leases']);
  });

  it('gives each line an id of its own, and forgets the oldest', () => {
    const log = new EventLog();
    for (let count = 0; count < 600; count += 1) log.add(change('updated', String(count)));
    expect(log.lines).toHaveLength(500);
    expect(new Set(log.lines.map(({ id }) => id)).size).toBe(500);
    expect(log.lines[0]?.text).toBe('orders 1.0.0 599');
  });

  it('keeps changes however many renewals follow', () => {
    const log = new EventLog();
    log.add(change('expired', 'own'));
    for (let count = 0; count < 300; count += 1) log.addRenewals(['a'], count * 5000);
    expect(log.lines).toHaveLength(101);
    expect(log.lines.at(-1)).toMatchObject({ kind: 'expired' });
    expect(log.lines[0]).toMatchObject({ kind: 'renewed', at: 299 * 5000 });
    expect(log.lines[99]).toMatchObject({ kind: 'renewed', at: 200 * 5000 });
  });
});

describe('the sentence that is read out', () => {
  it('names a single change', () => {
    expect(summaryOf([change('expired', 'own')])).toBe('instance own of orders expired.');
    expect(summaryOf([change('removed')])).toBe('service orders removed.');
  });

  it('counts several', () => {
    const changes = [change('expired', 'a'), change('registered', 'b'), change('expired', 'c')];
    expect(summaryOf(changes)).toBe('2 expired, 1 registered.');
  });

  it('is empty for none', () => {
    expect(summaryOf([])).toBe('');
  });
});
