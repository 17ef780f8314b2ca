import { describe, expect, it } from '@jest/globals';
import { learnedAddresses } from '../../../lib/protocol/learned-addresses.js';

const own = { name: 'dc', region: 'r1', availableZone: 'z1' };
const node = (endpoint: string, dataCenterInfo?: typeof own) => ({
  hostName: 'h',
  endpoints: [endpoint],
  dataCenterInfo,
});

describe('the addresses of the registry’s nodes', () => {
  it.each([
    ['rest://10.0.0.1:30100/', ['http://10.0.0.1:30100']],
    ['rest://10.0.0.1:30100', ['http://10.0.0.1:30100']],
    ['rest://sc.local:30100/?sslEnabled=true', ['https://sc.local:30100']],
    ['rest://sc.local:30100?sslEnabled=false', ['http://sc.local:30100']],
    ['rest://[::1]:30100/', ['http://[::1]:30100']],
    ['grpc://10.0.0.1:30100', []],
    ['rest://10.0.0.1', []],
    ['rest://user:secret@10.0.0.1:30100', []],
    ['rest://10.0.0.1:999999', []],
    ['http://10.0.0.1:30100', []],
    ['', []],
  ])('of %j are %j', (endpoint, addresses) => {
    expect(learnedAddresses([node(endpoint)], undefined)).toEqual(addresses);
  });

  it('are in the same zone first, then in the same region', () => {
    const nodes = [
      node('rest://far:1', { ...own, region: 'r2' }),
      node('rest://unknown:1'),
      node('rest://region:1', { ...own, availableZone: 'z2' }),
      node('rest://zone:1', own),
    ];
    expect(learnedAddresses(nodes, own)).toEqual([
      'http://zone:1',
      'http://region:1',
      'http://far:1',
      'http://unknown:1',
    ]);
    expect(learnedAddresses(nodes, undefined)[0]).toBe('http://far:1');
  });

  it('are each there once, and none of a node that is not up', () => {
    const down = { ...node('rest://down:1'), status: 'DOWN' as const };
    const twice = [node('rest://a:1'), node('rest://a:1/'), down, { hostName: 'h' }];
    expect(learnedAddresses(twice, own)).toEqual(['http://a:1']);
  });
});
