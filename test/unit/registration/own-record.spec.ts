import { describe, expect, it } from '@jest/globals';
import { OwnRecord } from '../../../lib/registration/own-record.js';
import type { Listing } from '../../../lib/registration/listing.js';
import { RecordWrites } from '../../../lib/registration/record-writes.js';
import { FakeClock } from '../../support/fake-clock.js';
import { listingOf } from './parts.js';

function recordOf(listing: Listing = listingOf()): OwnRecord {
  return new OwnRecord(listing, new RecordWrites(new FakeClock(), 500));
}

describe('the own record', () => {
  it('is described as events describe an instance', () => {
    expect(recordOf().describe('s')).toEqual({
      serviceId: 's',
      instanceId: 'i',
      serviceName: 'orders',
      version: '1.2.3',
      endpoints: ['rest://10.0.0.7:3000'],
    });
  });

  it('has no endpoint while none is known', () => {
    expect(recordOf(listingOf({ endpoints: undefined })).describe('s').endpoints).toEqual([]);
  });

  it('is another from a change on, and the one before stays as it was', () => {
    const before = listingOf();
    const record = recordOf(before);
    record.change({ endpoints: ['rest://b:1'] });
    expect(record.instance).toEqual({ ...before.instance, endpoints: ['rest://b:1'] });
    expect(record.listing.microservice).toBe(before.microservice);
    expect(before).toEqual(listingOf());
  });

  it('has a change already while it is written', async () => {
    const record = recordOf();
    await record.changeBy({ status: 'DOWN' }, async () => {
      expect(record.instance.status).toBe('DOWN');
    });
    expect(record.instance.status).toBe('DOWN');
  });

  it.each([{ status: 'DOWN' as const }, { properties: { zone: 'b' } }])(
    'takes %j back when it cannot be written',
    async change => {
      const record = recordOf();
      const write = () => Promise.reject(new Error('no'));
      await expect(record.changeBy(change, write)).rejects.toThrow('no');
      expect(record.listing).toEqual(listingOf());
    },
  );

  it('is written by one at a time, in the order of the calls', async () => {
    const record = recordOf();
    const order: string[] = [];
    const write = (name: string) => async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    };
    await Promise.all([
      record.changeBy({ status: 'OUTOFSERVICE' }, write('first')),
      record.changeBy({ status: 'DOWN' }, write('second')),
    ]);
    expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
    expect(record.instance.status).toBe('DOWN');
  });

  it('keeps what was written before and after a write that failed', async () => {
    const record = recordOf();
    const written = async () => undefined;
    const out = record.changeBy({ status: 'OUTOFSERVICE' }, written);
    const down = record.changeBy({ status: 'DOWN' }, () => Promise.reject(new Error('no')));
    const zone = record.changeBy({ properties: { zone: 'b' } }, written);
    await Promise.all([out, expect(down).rejects.toThrow('no'), zone]);
    expect(record.instance).toMatchObject({ status: 'OUTOFSERVICE', properties: { zone: 'b' } });
  });

  it('resolves with the record before the change', async () => {
    const record = recordOf();
    const before = await record.changeBy({ status: 'DOWN' }, async () => undefined);
    expect(before).toEqual(listingOf().instance);
  });
});
