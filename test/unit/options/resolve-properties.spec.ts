import { describe, expect, it } from '@jest/globals';

import { issuesOf, resolve } from './resolving.js';

describe('properties from the environment', () => {
  it.each([
    ['a:1,b:2', { a: '1', b: '2' }],
    [' a : 1 , b b : 2 ', { a: '1', 'b b': '2' }],
    ['url:http://a:1', { url: 'http://a:1' }],
    ['a:', { a: '' }],
    ['a:1,,a:2,', { a: '2' }],
    ['', {}],
  ])('are read from %j', (written, properties) => {
    const env = { SERVICECOMB_SERVICE_PROPS: written, SERVICECOMB_INSTANCE_PROPS: written };
    const resolved = resolve({}, { env });
    expect(resolved.microservice.properties).toEqual(properties);
    expect(resolved.instance.properties).toEqual(properties);
  });

  it.each(['a', ':1', ' : 1', '='])('are refused when an entry is %j', entry => {
    const env = { SERVICECOMB_SERVICE_PROPS: `x:1,${entry}` };
    expect(issuesOf({ microservice: { properties: { y: '2' } } }, { env })).toEqual([
      'microservice.properties must be key:value pairs, ' +
        `got ${JSON.stringify(entry.trim())} from SERVICECOMB_SERVICE_PROPS`,
    ]);
  });

  it('are merged, and the option wins', () => {
    const env = { SERVICECOMB_SERVICE_PROPS: 'a:1,b:1', SERVICECOMB_INSTANCE_PROPS: 'a:3,b:3' };
    const properties = { b: '2', c: '2' };
    const resolved = resolve({ microservice: { properties }, instance: { properties } }, { env });
    expect(resolved.microservice.properties).toEqual({ a: '1', b: '2', c: '2' });
    expect(resolved.instance.properties).toEqual({ a: '3', b: '2', c: '2' });
  });

  it('hold what ServiceStage says of the instance, under its own names', () => {
    const cas = {
      CAS_APPLICATION_ID: 'app',
      CAS_COMPONENT_NAME: 'orders',
      CAS_INSTANCE_VERSION: '1.0',
      CAS_INSTANCE_ID: 'i',
      CAS_ENVIRONMENT_ID: 'e',
    };
    const resolved = resolve({}, { env: cas });
    expect(resolved.instance.properties).toEqual(cas);
    expect(resolved.microservice.properties).toEqual({});
  });

  it.each([
    'CAS_APPLICATION_ID',
    'CAS_COMPONENT_NAME',
    'CAS_INSTANCE_VERSION',
    'CAS_INSTANCE_ID',
    'CAS_ENVIRONMENT_ID',
  ])('hold %s alone when it alone is set, and nothing when it is empty', name => {
    const { properties } = resolve({}, { env: { [name]: 'a:b,c' } }).instance;
    expect(properties).toEqual({ [name]: 'a:b,c' });
    expect(resolve({}, { env: { [name]: '' } }).instance.properties).toEqual({});
  });

  it('of the service and of the instance come from a variable of their own', () => {
    const ofService = resolve({}, { env: { SERVICECOMB_SERVICE_PROPS: 'a:1' } });
    expect(ofService.microservice.properties).toEqual({ a: '1' });
    expect(ofService.instance.properties).toEqual({});
    const ofInstance = resolve({}, { env: { SERVICECOMB_INSTANCE_PROPS: 'a:1' } });
    expect(ofInstance.microservice.properties).toEqual({});
    expect(ofInstance.instance.properties).toEqual({ a: '1' });
  });

  it('of a CAS variable win over an entry of the same name, and the option wins over both', () => {
    const env = { SERVICECOMB_INSTANCE_PROPS: 'CAS_INSTANCE_ID:1', CAS_INSTANCE_ID: '2' };
    const properties = { CAS_INSTANCE_ID: '3' };
    expect(resolve({}, { env }).instance.properties).toEqual({ CAS_INSTANCE_ID: '2' });
    expect(resolve({ instance: { properties } }, { env }).instance.properties).toEqual(properties);
  });

  it('take a key that JavaScript has a meaning for like any other', () => {
    const env = { SERVICECOMB_INSTANCE_PROPS: '__proto__:1' };
    const { properties } = resolve({}, { env }).instance;
    expect(Object.entries(properties)).toEqual([['__proto__', '1']]);
  });
});
