import { describe, expect, it } from '@jest/globals';

import { issuesOf, resolve } from './resolving.js';

describe('instance', () => {
  it.each([
    { instanceId: 'orders-7d9f.0_a' },
    { instanceId: '...' },
    { instanceId: 'com.huawei.instance.InstanceService' },
    { instanceId: 'a'.repeat(64) },
    { hostName: 'h'.repeat(64) },
    { hostName: '主'.repeat(64) },
    { endpoints: [] },
    { endpoints: ['rest://10.0.0.7:3000', 'highway://orders_1.internal:7070?login=true'] },
    { endpoints: ['rest://[2001:db8::7]:3000?sslEnabled=true'] },
    { endpoints: ['rest://localhost:1', 'REST://a:65535'] },
    { endpoints: ['grpc://:50051', 'tcp://:3002?login=true'] },
    { address: '10.0.0.7' },
    { address: 'orders.internal' },
    { address: '2001:db8::7' },
    { address: '10.0.0.7.nip.io' },
    { preferredNetwork: '10.0.0.0/8' },
    { preferredNetwork: '0.0.0.0/0' },
    { preferredNetwork: '2001:db8::/32' },
    { preferredNetwork: 'eth0' },
    { preferredNetwork: 'vEthernet (Default Switch)' },
    { status: 'STARTING' },
    { properties: { zone: 'a' } },
    { dataCenter: { name: 'dc-1', region: 'eu_1', availableZone: 'z'.repeat(128) } },
  ])('accepts %j', instance => {
    expect(resolve({ instance }).instance).toMatchObject(instance);
  });

  const id = 'must be 1 to 64 letters, digits, "_", "." and "-", and neither "." nor ".."';
  const hostName = 'must be 1 to 64 characters without white space';
  const endpoint = 'must be scheme://host:port, or scheme://:port for the address of this machine';
  const address = 'must be a host name or an IP address to publish, without scheme and port';
  const network = 'must be a CIDR such as "10.0.0.0/8" or the name of a network interface';
  const place = 'must be 1 to 128 letters, digits, "_", "." and "-"';
  it.each([
    [{ instanceId: '' }, `instanceId ${id}, got ""`],
    [{ instanceId: '.' }, `instanceId ${id}, got "."`],
    [{ instanceId: '..' }, `instanceId ${id}, got ".."`],
    [{ instanceId: 'a/b' }, `instanceId ${id}, got "a/b"`],
    [{ instanceId: 'a'.repeat(65) }, `instanceId ${id}, got "${'a'.repeat(65)}"`],
    [{ instanceId: 7 }, `instanceId ${id}, got 7`],
    [{ hostName: '' }, `hostName ${hostName}, got ""`],
    [{ hostName: 'a b' }, `hostName ${hostName}, got "a b"`],
    [{ hostName: 'h'.repeat(65) }, `hostName ${hostName}, got "${'h'.repeat(65)}"`],
    [{ endpoints: 'rest://a:1' }, 'endpoints must be an array, got "rest://a:1"'],
    [{ endpoints: ['a:1'] }, `endpoints[0] ${endpoint}, got "a:1"`],
    [{ endpoints: ['rest://a'] }, `endpoints[0] ${endpoint}, got "rest://a"`],
    [{ endpoints: ['rest://a:0'] }, `endpoints[0] ${endpoint}, got "rest://a:0"`],
    [{ endpoints: ['rest://a:65536'] }, `endpoints[0] ${endpoint}, got "rest://a:65536"`],
    [{ endpoints: ['grpc://:0'] }, `endpoints[0] ${endpoint}, got "grpc://:0"`],
    [{ endpoints: ['grpc://[]:1'] }, `endpoints[0] ${endpoint}, got "grpc://[]:1"`],
    [{ endpoints: [':50051'] }, `endpoints[0] ${endpoint}, got ":50051"`],
    [{ endpoints: ['rest://a:1/path'] }, `endpoints[0] ${endpoint}, got "rest://a:1/path"`],
    [{ endpoints: ['rest://::1:3000'] }, `endpoints[0] ${endpoint}, got "rest://::1:3000"`],
    [{ endpoints: ['rest://[10.0.0.7]:1'] }, `endpoints[0] ${endpoint}, got "rest://[10.0.0.7]:1"`],
    [{ endpoints: ['rest://a b:1'] }, `endpoints[0] ${endpoint}, got "rest://a b:1"`],
    [{ endpoints: ['rest://me:pw@a:1'] }, `endpoints[0] ${endpoint}, got "rest://***@a:1"`],
    [{ endpoints: ['rest://a:1', null] }, `endpoints[1] ${endpoint}, got null`],
    [{ address: '' }, `address ${address}, got ""`],
    [{ address: 'http://a' }, `address ${address}, got "http://a"`],
    [{ address: 'a:3000' }, `address ${address}, got "a:3000"`],
    [{ address: '[::1]' }, `address ${address}, got "[::1]"`],
    [{ address: '10.0.0.256' }, `address ${address}, got "10.0.0.256"`],
    [{ address: 'fe80::1%eth0' }, `address ${address}, got "fe80::1%eth0"`],
    [{ address: '0.0.0.0' }, `address ${address}, got "0.0.0.0"`],
    [{ address: '::' }, `address ${address}, got "::"`],
    [{ address: 'a'.repeat(254) }, `address ${address}, got "${'a'.repeat(80)}…"`],
    [{ preferredNetwork: '' }, `preferredNetwork ${network}, got ""`],
    [{ preferredNetwork: '10.0.0.7' }, `preferredNetwork ${network}, got "10.0.0.7"`],
    [{ preferredNetwork: '10.0.0.0/33' }, `preferredNetwork ${network}, got "10.0.0.0/33"`],
    [{ preferredNetwork: '2001:db8::/129' }, `preferredNetwork ${network}, got "2001:db8::/129"`],
    [{ preferredNetwork: '10.0.0/8' }, `preferredNetwork ${network}, got "10.0.0/8"`],
    [{ preferredNetwork: '10.0.0.0/' }, `preferredNetwork ${network}, got "10.0.0.0/"`],
    [{ preferredNetwork: '10.0.0.0/8/8' }, `preferredNetwork ${network}, got "10.0.0.0/8/8"`],
    [
      { status: 'up' },
      'status must be one of "UP", "DOWN", "STARTING", "TESTING", "OUTOFSERVICE", got "up"',
    ],
    [{ properties: { port: 3000 } }, 'properties.port must be a string, got 3000'],
    [
      { dataCenter: { name: 'dc', region: 'r' } },
      `dataCenter.availableZone ${place}, got undefined`,
    ],
    [
      { dataCenter: { name: 'd c', region: 'r', availableZone: 'z' } },
      `dataCenter.name ${place}, got "d c"`,
    ],
    [
      { dataCenter: { name: 'd', region: 'r', availableZone: 'z', zone: 'z' } },
      'dataCenter.zone is not an option; valid options are name, region, availableZone',
    ],
    [{ dataCenter: null }, 'dataCenter must be an object, got null'],
    [
      { statusFromHealth: { isHealthy: true } },
      'statusFromHealth must be the class of a provider, or the string or symbol it is provided under, got an object',
    ],
  ])('refuses %j', (instance, issue) => {
    expect(issuesOf({ instance })).toEqual([`instance.${issue}`]);
  });

  it('has the name of the host, cut to 64 characters', () => {
    expect(resolve({}, { hostName: '😀'.repeat(70) }).instance.hostName).toBe('😀'.repeat(64));
  });

  it('takes a class, a text or a symbol for the source of its health, and leaves it as it is', () => {
    class Health {
      isHealthy() {
        return true;
      }
    }
    for (const statusFromHealth of [Health, 'HEALTH', Symbol('health')])
      expect(resolve({ instance: { statusFromHealth } }).instance).toMatchObject({
        statusFromHealth,
      });
    expect(Object.isFrozen(Health)).toBe(false);
  });

  it('names the option to set when the name of the host does not fit', () => {
    expect(issuesOf({}, { hostName: '' })).toEqual([
      `instance.hostName ${hostName}, got "" from the host`,
    ]);
  });
});
