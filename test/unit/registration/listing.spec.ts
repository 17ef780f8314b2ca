import { describe, expect, it } from '@jest/globals';
import { differences } from '../../../lib/registration/listing.js';
import { listingOf } from './parts.js';

const wanted = listingOf().instance;

describe('a stored record', () => {
  it.each([
    ['it is the same', {}, []],
    ['the server added a property', { properties: { zone: 'a', engine: 'x' } }, []],
    ['another endpoint is listed', { endpoints: ['rest://10.0.0.8:3000'] }, ['endpoints']],
    [
      'an endpoint more is listed',
      { endpoints: [...(wanted.endpoints ?? []), 'rest://b:1'] },
      ['endpoints'],
    ],
    ['no endpoint is listed', { endpoints: undefined }, ['endpoints']],
    ['another host is listed', { hostName: 'other' }, ['hostName']],
    ['it is down', { status: 'DOWN' as const }, ['status']],
    ['a property has another value', { properties: { zone: 'b' } }, ['properties']],
    ['a property is missing', { properties: {} }, ['properties']],
    ['all properties are missing', { properties: undefined }, ['properties']],
    [
      'everything is different',
      { endpoints: [], hostName: 'other', status: 'DOWN' as const, properties: {} },
      ['endpoints', 'hostName', 'status', 'properties'],
    ],
  ])('differs where it must when %s', (_, change, fields) => {
    expect(differences({ ...wanted, ...change }, wanted)).toEqual(fields);
  });

  it('may list the endpoints in another order', () => {
    const stored = { hostName: 'host', endpoints: ['rest://a:1', 'rest://b:2'] };
    const sought = { hostName: 'host', endpoints: ['rest://b:2', 'rest://a:1'] };
    expect(differences(stored, sought)).toEqual([]);
  });

  it('may leave out what is empty, and the status UP', () => {
    const sought = { hostName: 'host', endpoints: [], properties: {}, status: 'UP' as const };
    expect(differences({ hostName: 'host' }, sought)).toEqual([]);
    expect(differences(sought, { hostName: 'host' })).toEqual([]);
  });
});
