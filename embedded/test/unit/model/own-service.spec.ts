import { describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../../lib/index.js';
import { TestRegistry, refusalOf } from '../../support/registry.js';

const shared = { serviceName: 'config', appId: 'default', environment: 'development' };

/** Returns what a consumer of another application and environment finds. */
function find(registry: TestRegistry, query: string, domain?: string) {
  const consumer = { serviceName: 'caller', appId: 'shop', environment: 'production' };
  const consumerId = registry.service(consumer, domain === undefined ? {} : { domain });
  const options = domain === undefined ? { consumerId } : { consumerId, domain };
  return registry.ask(`GET /instances?${query}`, options);
}

describe('a shared service', () => {
  const registryWith = (service: object) => {
    const registry = new TestRegistry({ sharedServices: ['config'] });
    const serviceId = registry.service(service);
    registry.instance(serviceId, { instanceId: 'own' });
    return { registry, serviceId };
  };

  it('is found by every application and environment, and creates no dependency', () => {
    const { registry, serviceId } = registryWith(shared);
    const found = find(registry, 'appId=default&serviceName=config&env=testing');
    expect(found.json.instances).toMatchObject([{ instanceId: 'own' }]);
    expect(registry.ask(`GET /microservices/${serviceId}/consumers`).json).toEqual({});
  });

  it('may have its name as an alias', () => {
    const { registry } = registryWith({ ...shared, serviceName: 'settings', alias: 'config' });
    const found = find(registry, 'appId=default&serviceName=config');
    expect(found.json.instances).toMatchObject([{ instanceId: 'own' }]);
  });

  it('is listed only where shared ones are wanted', () => {
    const { registry } = registryWith(shared);
    expect(registry.ask('GET /microservices').json).toEqual({});
    expect(registry.ask('GET /microservices?withShared=1').json.services).toHaveLength(2);
  });

  it('is not found while it is not registered', () => {
    const registry = new TestRegistry({ sharedServices: ['config'] });
    expect(refusalOf(find(registry, 'appId=default&serviceName=config'))).toBe(
      '400 400012 find shared provider[development/default/config/] failed, provider does not exist',
    );
  });

  it.each([
    ['another application', { ...shared, appId: 'shop' }, 'appId=shop&serviceName=config'],
    ['another name', { ...shared, serviceName: 'conf' }, 'appId=default&serviceName=conf'],
    [
      'another environment',
      { ...shared, environment: 'testing' },
      'appId=default&serviceName=config',
    ],
  ])('is none of %s', (_, service, query) => {
    const { registry } = registryWith(service);
    expect(refusalOf(find(registry, query))).toMatch(/^400 400012 .* provider does not exist$/);
  });

  it('is none of another domain', () => {
    const { registry } = registryWith(shared);
    expect(find(registry, 'appId=default&serviceName=config', 'other').json.errorCode).toBe(
      '400012',
    );
  });

  it('is none without the option', () => {
    const registry = new TestRegistry();
    registry.instance(registry.service(shared));
    expect(find(registry, 'appId=default&serviceName=config').json.errorCode).toBe('400012');
  });

  it('is exempt from the quotas in the environment of the Service Center alone', () => {
    const quotas = { services: 2, instances: 1 };
    const registry = new TestRegistry({ sharedServices: ['config'], quotas });
    registry.instance(registry.service(shared), { instanceId: 'shared' });
    const elsewhere = registry.service({ ...shared, environment: 'testing' });
    const orders = registry.service();
    expect(
      registry.ask('POST /microservices', { body: { service: { serviceName: 'c' } } }).json,
    ).toMatchObject({ errorCode: '400100' });
    expect(registry.instance(elsewhere, { instanceId: 'one' })).toBe('one');
    expect(registry.instance(orders, { instanceId: 'two' })).toBeUndefined();
  });

  it('is exempt in a document as well', () => {
    const quotas = { services: 1, instances: 1 };
    const options = { sharedServices: ['config'], quotas };
    const instances = [{ hostName: 'h' }];
    const services = [shared, { serviceName: 'orders' }].map(service => ({ service, instances }));
    const serviceCenter = new EmbeddedServiceCenter(options);
    serviceCenter.load({ format: 1, services });
    expect(serviceCenter.instances()).toHaveLength(2);
    expect(() => new EmbeddedServiceCenter({ quotas }).load({ format: 1, services })).toThrow(
      /400100|no quota/,
    );
  });
});
