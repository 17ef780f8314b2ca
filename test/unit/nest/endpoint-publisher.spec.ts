import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { EndpointPublisher } from '../../../lib/nest/endpoint-publisher.js';
import type { InstanceOptions } from '../../../lib/index.js';
import type { AddressList, NetworkAddress } from '../../../lib/options/host-addresses.js';
import type { ListeningServer } from '../../../lib/options/published-address.js';
import { FakeClock } from '../../support/fake-clock.js';
import { LogLines } from '../../support/test-app.js';
import { resolve } from '../options/resolving.js';

function at(name: string, address: string): NetworkAddress {
  return { name, address, family: 'IPv4', internal: name === 'lo' };
}

const lo = at('lo', '127.0.0.1');
const eth0 = at('eth0', '192.168.1.7');
const eth1 = at('eth1', '10.0.0.7');

const everyMs = 5_000;

interface Host {
  list: AddressList;
  routes: Readonly<Record<string, string | undefined | Promise<undefined>>>;
}

interface Given {
  readonly instance?: InstanceOptions;
  readonly addresses?: readonly string[];
}

/** A publisher on a host whose addresses a test changes. */
function publisherOn(host: Host, { instance = {}, addresses = ['http://a'] }: Given = {}) {
  const log = new LogLines();
  const clock = new FakeClock();
  const published: (readonly string[])[] = [];
  const publisher = new EndpointPublisher({
    options: resolve({ serviceCenter: { addresses }, instance }),
    publish: endpoints => published.push(endpoints),
    logger: log,
    clock,
    everyMs,
    networkAddresses: () => host.list,
    addressTowards: url => Promise.resolve(host.routes[url]),
  });
  const turn = async () => {
    await clock.advance(everyMs);
    expect(publisher.tick()).toBe(Infinity);
    await setImmediate();
  };
  return { publisher, published, log, clock, turn };
}

function bound(address: string) {
  return { address: () => ({ address, port: 3_000, family: 'IPv4' }) };
}

describe('EndpointPublisher', () => {
  it('publishes the address from which the machine reaches the registry, and logs the choice', async () => {
    const host = { list: { addresses: [lo, eth0, eth1] }, routes: { 'http://a': '10.0.0.7' } };
    const { publisher, published, log } = publisherOn(host);
    await publisher.publish(bound('::'));
    expect(published).toEqual([['rest://10.0.0.7:3000']]);
    expect(log.lines).toEqual([expect.stringMatching(/^log Publishing the address 10\.0\.0\.7/)]);
  });

  it('asks each address of the registry, and waits two seconds at most for one whose name hangs', async () => {
    const host = {
      list: { addresses: [lo, eth0, eth1] },
      routes: { 'http://hangs': new Promise<undefined>(() => {}), 'http://b': '10.0.0.7' },
    };
    const { publisher, published, clock } = publisherOn(host, {
      addresses: ['http://hangs', 'http://b'],
    });
    const done = publisher.publish(bound('::'));
    await clock.advance(1_999);
    expect(published).toEqual([]);
    await clock.advance(1);
    await done;
    expect(published).toEqual([['rest://10.0.0.7:3000']]);
  });

  it('publishes at once, and asks for no route, when there is nothing to choose', async () => {
    const host = { list: { addresses: [eth0] }, routes: {} };
    for (const [address, instance] of [
      ['127.0.0.1', {}],
      ['::', { address: '127.0.0.1' }],
    ] as const) {
      const { publisher, published, clock, turn } = publisherOn(host, { instance });
      const done = publisher.publish(bound(address));
      expect(published).toEqual([['rest://127.0.0.1:3000']]);
      await done;
      expect(clock.sleepers).toBe(0);
      await turn();
      expect(published).toHaveLength(1);
    }
  });

  it('knows the route already when it was prepared', async () => {
    const host = { list: { addresses: [eth0, eth1] }, routes: { 'http://a': '10.0.0.7' } };
    const { publisher, published } = publisherOn(host);
    publisher.prepare();
    await setImmediate();
    host.routes['http://a'] = '192.168.1.7';
    await publisher.publish(bound('::'));
    expect(published).toEqual([['rest://10.0.0.7:3000']]);
  });

  it('publishes an address that changes, once, and says so', async () => {
    const host: Host = { list: { addresses: [lo, eth0] }, routes: {} };
    const { publisher, published, log, turn } = publisherOn(host);
    await publisher.publish(bound('::'));
    await turn();
    expect(published).toHaveLength(1);
    host.list = { addresses: [lo, eth1] };
    await turn();
    await turn();
    expect(published).toEqual([['rest://192.168.1.7:3000'], ['rest://10.0.0.7:3000']]);
    expect(log.lines).toEqual([
      'log This machine has no address 192.168.1.7 any more; publishing rest://10.0.0.7:3000',
    ]);
  });

  it('keeps the address while the machine has no network, and while nothing is listed', async () => {
    const host: Host = { list: { addresses: [lo, eth0] }, routes: {} };
    const { publisher, published, turn } = publisherOn(host);
    await publisher.publish(bound('::'));
    host.list = { addresses: [lo] };
    await turn();
    host.list = { addresses: [], error: new Error('refused') };
    await turn();
    expect(published).toHaveLength(1);
  });

  it('keeps the endpoint of a server that was closed', async () => {
    const host: Host = { list: { addresses: [eth0] }, routes: {} };
    const { publisher, published, turn } = publisherOn(host);
    let address: ListeningServer['address'] = bound('::').address;
    await publisher.publish({ address: () => address() });
    address = () => null;
    host.list = { addresses: [eth1] };
    await turn();
    await turn();
    expect(published).toEqual([['rest://192.168.1.7:3000']]);
  });

  it('says nothing of a lost address when an endpoint is added', async () => {
    const host: Host = { list: { addresses: [eth0] }, routes: {} };
    const { publisher, published, log } = publisherOn(host, {
      instance: { endpoints: ['grpc://:50051'] },
    });
    await publisher.publish(undefined);
    await publisher.publish(bound('::'));
    const open = 'grpc://192.168.1.7:50051';
    expect(published).toEqual([[open], ['rest://192.168.1.7:3000', open]]);
    expect(log.lines).toEqual([]);
  });

  it('does not look again within its period', async () => {
    const host: Host = { list: { addresses: [eth0] }, routes: {} };
    const { publisher, published, clock } = publisherOn(host);
    await publisher.publish(bound('::'));
    host.list = { addresses: [eth1] };
    await clock.advance(everyMs - 1);
    publisher.tick();
    await setImmediate();
    expect(published).toHaveLength(1);
  });

  it('publishes nothing any more once it is stopped', async () => {
    const host: Host = { list: { addresses: [eth0] }, routes: {} };
    const { publisher, published, clock } = publisherOn(host);
    await publisher.publish(bound('::'));
    host.list = { addresses: [eth1] };
    await clock.advance(everyMs);
    publisher.tick();
    publisher.stop();
    await setImmediate();
    expect(published).toHaveLength(1);
  });

  it('goes on, with one warning, where the operating system lists no addresses', async () => {
    const list = { addresses: [], error: new Error('uv_interface_addresses failed') };
    const { publisher, published, log } = publisherOn({ list, routes: { 'http://a': '10.0.0.7' } });
    await publisher.publish(bound('::'));
    expect(published).toEqual([['rest://10.0.0.7:3000']]);
    expect(log.lines).toEqual([
      'warn The operating system does not list the addresses of this machine; set instance.address if the ' +
        'published one is wrong: Error: uv_interface_addresses failed',
    ]);
  });

  it('warns once of a preferred network that fits nothing', async () => {
    const host: Host = { list: { addresses: [eth0] }, routes: {} };
    const { publisher, log, turn } = publisherOn(host, { instance: { preferredNetwork: 'wlan0' } });
    await publisher.publish(bound('::'));
    host.list = { addresses: [eth1] };
    await turn();
    host.list = { addresses: [eth0] };
    await turn();
    expect(log.matching(/^warn .*wlan0.*192\.168\.1\.7/)).toHaveLength(1);
  });
});
