import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestRegistry, refusalOf } from '../../support/registry.js';

let registry: TestRegistry;
let consumerId: string;

beforeEach(() => {
  registry = new TestRegistry();
  consumerId = registry.service({ serviceName: 'shop', version: '1.0.0', alias: 'web:shop' });
});

const consumer = { appId: 'default', serviceName: 'shop', version: '1.0.0' };
const orders = { appId: 'default', serviceName: 'orders' };
const stock = { appId: 'default', serviceName: 'stock' };

const write = (method: 'POST' | 'PUT', ...dependencies: readonly unknown[]) =>
  registry.ask(`${method} /dependencies`, { body: { dependencies } });
const providers = () => registry.ask(`GET /microservices/${consumerId}/providers`).json.providers;

describe('dependencies that a consumer declares', () => {
  it.each(['POST', 'PUT'] as const)('are taken with %s, and called out of date', method => {
    const told = write(method, { consumer, providers: [orders] });
    expect(told).toMatchObject({
      status: 200,
      text: '',
      headers: { Deprecation: 'version="v4"', 'Content-Type': 'text/plain; charset=UTF-8' },
    });
    const id = registry.service();
    expect(providers()).toMatchObject([{ serviceId: id }]);
  });

  it('are on all versions, whatever version rule is sent, and of a provider yet to come', () => {
    write('POST', { consumer, providers: [{ ...orders, version: '1.0-2.0' }] });
    expect(providers()).toBeUndefined();
    registry.service({ version: '3.0.0' });
    registry.service({ version: '4.0.0' });
    expect(providers()).toHaveLength(2);
  });

  it('are of the consumer’s application where they name none, and of no environment', () => {
    registry.service({ serviceName: 'shop', appId: 'a', environment: 'testing' });
    const asked = { appId: 'a', serviceName: 'shop', version: '0.0.1', environment: 'testing' };
    write('POST', { consumer: asked, providers: [{ serviceName: 'orders' }] });
    const id = registry.service({ appId: 'a' });
    registry.service({ appId: 'a', environment: 'testing' });
    expect(registry.ask(`GET /microservices/${id}/consumers`).json.consumers).toMatchObject([
      { appId: 'a', serviceName: 'shop' },
    ]);
  });

  it('are added with POST and replaced with PUT', () => {
    registry.service();
    registry.service({ serviceName: 'stock' });
    write('POST', { consumer, providers: [orders] });
    write('POST', { consumer, providers: [stock] });
    expect(providers()).toHaveLength(2);
    write('PUT', { consumer, providers: [stock] });
    expect(providers()).toMatchObject([{ serviceName: 'stock' }]);
    write('PUT', { consumer });
    expect(providers()).toBeUndefined();
  });

  it('may call the consumer by its alias', () => {
    registry.service();
    const byAlias = { ...consumer, serviceName: 'none', alias: 'web:shop' };
    expect(write('POST', { consumer: byAlias, providers: [orders] }).status).toBe(200);
    expect(providers()).toHaveLength(1);
  });

  it('protect the provider from being unregistered without force', () => {
    const id = registry.service();
    write('POST', { consumer, providers: [orders] });
    expect(refusalOf(registry.ask(`DELETE /microservices/${id}`))).toBe(
      '400 400023 Can not delete this service, other service rely it.',
    );
  });

  it('are all refused when one of their consumers is unknown', () => {
    registry.service();
    const unknown = { consumer: { ...consumer, version: '9.0.0' }, providers: [orders] };
    expect(refusalOf(write('POST', { consumer, providers: [orders] }, unknown))).toBe(
      '400 400012 Consumer /default/shop/9.0.0 does not exist.',
    );
    expect(providers()).toBeUndefined();
  });

  const name = '^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\\-.]*[a-zA-Z0-9]$';
  it.each([
    ['none at all', [], "field 'AddDependenciesRequest.Dependencies' invalid value '[]'"],
    ['one that is null', [null], 'invalid nil pointer'],
    [
      'no consumer',
      [{ providers: [orders] }],
      "field 'ConsumerDependency.Consumer' invalid value '<nil>' does not match rule: {Min: 1}",
    ],
    [
      'a consumer without an application',
      [{ consumer: { ...consumer, appId: '' }, providers: [orders] }],
      `field 'MicroServiceKey.AppId' invalid value '' does not match rule: {Min: 1, Max: 160, Regexp: ${name}}`,
    ],
    [
      'a consumer with a range of versions',
      [{ consumer: { ...consumer, version: '1.0+' }, providers: [orders] }],
      "field 'MicroServiceKey.Version' invalid value '1.0+'",
    ],
    [
      'no provider',
      [{ consumer }],
      "field 'ConsumerDependency.Providers' invalid value '[]' does not match rule: {Min: 1}",
    ],
    [
      'a provider without a name',
      [{ consumer, providers: [{ appId: 'default' }] }],
      "field 'MicroServiceKey.ServiceName' invalid value ''",
    ],
    [
      'a provider with a version of four parts',
      [{ consumer, providers: [{ ...orders, version: '1.0.0.0' }] }],
      "or x[.y[.z]]-x[.y[.z]] or 'latest' where x y and z are 0-32767 range}",
    ],
    [
      'a version that is too large',
      [{ consumer, providers: [{ ...orders, version: '1-32768' }] }],
      "field 'MicroServiceKey.Version' invalid value '1-32768'",
    ],
    [
      'a provider twice',
      [{ consumer, providers: [orders, { serviceName: 'orders', version: 'latest' }] }],
      'Invalid request body for provider info.Duplicate provider or (serviceName and appId is same).',
    ],
    [
      'an override that is no truth value',
      [{ consumer, providers: [orders], override: 1 }],
      'json: cannot unmarshal number into Go struct field ConsumerDependency.dependencies.override of type bool',
    ],
  ])('are refused with %s', (_, dependencies, detail) => {
    const told = write('POST', ...dependencies);
    expect(refusalOf(told)).toContain('400 400001 ');
    expect(told.json.detail).toContain(detail);
    expect(told.headers).not.toHaveProperty('Deprecation');
  });
});
