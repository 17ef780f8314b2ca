import { describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../../lib/index.js';
import { TestRegistry } from '../../support/registry.js';

/** A registry in which `shop` has just found `orders` for the first time. */
function found() {
  const registry = new TestRegistry({ oddities: { dependencyMs: 2000 } });
  const orders = registry.service({ serviceId: 'orders' });
  const consumerId = registry.service({ serviceId: 'shop', serviceName: 'shop' });
  const find = () =>
    registry.ask('GET /instances?appId=default&serviceName=orders', { consumerId });
  find();
  const frames: string[] = [];
  registry.model.onPublished(({ consumerIds }) => frames.push(consumerIds.join()));
  return { registry, orders, find, frames };
}

describe('a dependency with the oddity dependencyMs', () => {
  it('counts so long after it was declared, for watchers and lists', () => {
    const { registry, orders, frames } = found();
    registry.clock.advance(1999);
    registry.instance(orders);
    expect(registry.ask('GET /microservices/shop/providers').json).toEqual({});
    expect(registry.ask('GET /microservices/orders/consumers').json).toEqual({});
    registry.clock.advance(1);
    registry.instance(orders);
    expect(frames).toEqual(['', 'shop']);
    expect(registry.ask('GET /microservices/shop/providers').json.providers).toHaveLength(1);
    expect(registry.ask('GET /microservices/orders/consumers').json.consumers).toHaveLength(1);
  });

  it('is not put off by further finds', () => {
    const { registry, find, orders, frames } = found();
    registry.clock.advance(1500);
    find();
    registry.clock.advance(500);
    registry.instance(orders);
    expect(frames).toEqual(['shop']);
  });

  it('counts at once when the oddity is turned off', () => {
    const { registry, orders, frames } = found();
    registry.model.oddities.set({ dependencyMs: 0 });
    registry.instance(orders);
    expect(frames).toEqual(['shop']);
  });

  it('that is declared over HTTP counts late too, and goes on counting when it is declared again', () => {
    const { registry, frames, orders } = found();
    const consumer = { serviceName: 'shop', appId: 'default', version: '0.0.1' };
    const replace = (...names: string[]) => {
      const providers = names.map(serviceName => ({
        serviceName,
        appId: 'default',
        version: '1.0.0',
      }));
      const body = { dependencies: [{ consumer, providers }] };
      expect(registry.ask('PUT /dependencies', { body }).status).toBe(200);
    };
    registry.clock.advance(2000);
    replace('stock', 'orders');
    registry.instance(orders);
    registry.instance(registry.service({ serviceId: 'stock', serviceName: 'stock' }));
    expect(frames).toEqual(['shop', '']);
    replace('stock');
    registry.clock.advance(2000);
    registry.instance(orders);
    registry.instance('stock');
    expect(frames).toEqual(['shop', '', '', 'shop']);
  });

  it('is dumped before it counts, and counts once it is loaded', () => {
    const { registry } = found();
    const dumped = new EmbeddedServiceCenter({ oddities: { dependencyMs: 2000 } });
    const headers = { 'x-consumerid': 'shop' };
    const base = '/v4/default/registry';
    const ask = (method: string, target: string, body = '') =>
      dumped.answer({ method, target: base + target, headers, body: Buffer.from(body) }).body;
    for (const serviceId of ['orders', 'shop'])
      ask(
        'POST',
        '/microservices',
        JSON.stringify({ service: { serviceId, serviceName: serviceId } }),
      );
    ask('GET', '/instances?appId=default&serviceName=orders');
    expect(ask('GET', '/microservices/shop/providers')).toBe('{}');
    const dump = dumped.dump();
    expect(dump.services).toMatchObject([{}, { dependsOn: [{ serviceName: 'orders' }] }]);
    const loaded = new EmbeddedServiceCenter({ oddities: { dependencyMs: 2000 } });
    loaded.load(dump);
    const target = `${base}/microservices/shop/providers`;
    expect(loaded.answer({ method: 'GET', target, headers, body: Buffer.alloc(0) }).body).toContain(
      '"serviceId":"orders"',
    );
    expect(registry.clock.timers).toBe(0);
  });
});
