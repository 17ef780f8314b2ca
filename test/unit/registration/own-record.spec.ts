import { describe, expect, it } from '@jest/globals';
import { OwnRecord } from '../../../lib/registration/own-record.js';
import { listingOf } from './parts.js';

describe('the own record', () => {
  it('is described as events describe an instance', () => {
    expect(new OwnRecord(listingOf()).describe('s')).toEqual({
      serviceId: 's',
      instanceId: 'i',
      serviceName: 'orders',
      version: '1.2.3',
      endpoints: ['rest://10.0.0.7:3000'],
    });
  });

  it('has no endpoint while none is known', () => {
    expect(new OwnRecord(listingOf({ endpoints: undefined })).describe('s').endpoints).toEqual([]);
  });

  it('is another from a change on, and the one before stays as it was', () => {
    const before = listingOf();
    const record = new OwnRecord(before);
    record.change({ endpoints: ['rest://b:1'] });
    expect(record.instance).toEqual({ ...before.instance, endpoints: ['rest://b:1'] });
    expect(record.listing.microservice).toBe(before.microservice);
    expect(before).toEqual(listingOf());
  });

  it('has a change already while it is written', async () => {
    const record = new OwnRecord(listingOf());
    await record.changeBy({ status: 'DOWN' }, async () => {
      expect(record.instance.status).toBe('DOWN');
    });
    expect(record.instance.status).toBe('DOWN');
  });

  it.each([{ status: 'DOWN' as const }, { properties: { zone: 'b' } }])(
    'takes %j back when it cannot be written',
    async change => {
      const record = new OwnRecord(listingOf());
      const write = () => Promise.reject(new Error('no'));
      await expect(record.changeBy(change, write)).rejects.toThrow('no');
      expect(record.listing).toEqual(listingOf());
    },
  );

  it('keeps a change that was written while another one failed', async () => {
    const record = new OwnRecord(listingOf());
    let fail: (reason: unknown) => void = () => undefined;
    const failed = new Promise<void>((_, reject) => {
      fail = reject;
    });
    const status = record.changeBy({ status: 'DOWN' }, () => failed);
    await record.changeBy({ properties: { zone: 'b' } }, async () => undefined);
    fail(new Error('no'));
    await expect(status).rejects.toThrow('no');
    expect(record.instance).toMatchObject({ status: 'UP', properties: { zone: 'b' } });
  });
});
