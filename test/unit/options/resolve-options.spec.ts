import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';

import { RegistryOptionsError } from '../../../lib/errors.js';
import { defaults } from '../../../lib/options/defaults.js';
import { issuesOf, resolve } from './resolving.js';

describe('resolveOptions', () => {
  it('fills in everything when nothing is given', () => {
    expect(resolve({})).toEqual({
      enabled: true,
      profile: 'open-source',
      serviceCenter: {
        addresses: ['http://127.0.0.1:30100'],
        project: 'default',
        domain: undefined,
        timeoutMs: 5_000,
        learnAddresses: false,
        auth: undefined,
        tls: {
          ca: undefined,
          cert: undefined,
          key: undefined,
          passphrase: undefined,
          servername: undefined,
          rejectUnauthorized: true,
          minVersion: 'TLSv1.2',
          material: undefined,
        },
        proxy: undefined,
        maxAnswerBytes: 1_048_576,
        axios: undefined,
      },
      microservice: {
        appId: 'default',
        serviceName: 'orders',
        version: '1.2.3',
        environment: '',
        description: undefined,
        level: 'BACK',
        alias: undefined,
        framework: { name: 'nestjs', version: '12.5.1' },
        properties: {},
        tags: {},
        schemas: [],
      },
      instance: {
        instanceId: '0d5cba62-1f1b-4a56-a0cd-3dd4a9b8f27e',
        hostName: 'node-7',
        endpoints: undefined,
        address: undefined,
        preferredNetwork: undefined,
        status: 'UP',
        properties: {},
        statusFromHealth: undefined,
        dataCenter: undefined,
      },
      heartbeat: {
        intervalMs: 15_000,
        times: 3,
        jitter: 0.1,
        neverEarly: false,
        verifyEvery: 10,
      },
      registration: {
        when: undefined,
        failFast: false,
        retry: { initialMs: 1_000, maxMs: 30_000, factor: 2 },
      },
      shutdown: { timeoutMs: 3_000, drainMs: 0, statusFirst: false },
    });
  });

  it.each([
    ['no options at all', undefined],
    ['an undefined group', { heartbeat: undefined, registration: { retry: undefined } }],
    [
      'an undefined option',
      { heartbeat: { intervalMs: undefined }, instance: { address: undefined } },
    ],
    ['an undefined switch', { enabled: undefined, isGlobal: undefined }],
  ])('takes %s for absent', (_, options) => {
    expect(resolve(options)).toEqual(resolve({}));
  });

  it('keeps 0, false and the empty text', () => {
    const resolved = resolve({
      enabled: false,
      microservice: { environment: '', description: '', alias: '' },
      heartbeat: { jitter: 0, verifyEvery: 0 },
      registration: { failFast: false },
      shutdown: { drainMs: 0 },
    });
    expect(resolved).toMatchObject({
      enabled: false,
      microservice: { environment: '', description: '', alias: '' },
      heartbeat: { jitter: 0, verifyEvery: 0 },
    });
  });

  it('leaves isGlobal to the module', () => {
    expect(resolve({ isGlobal: false })).not.toHaveProperty('isGlobal');
    expect(issuesOf({ isGlobal: 'no' })).toEqual(['isGlobal must be true or false, got "no"']);
  });

  it('tells every issue at once, in the order of the options', () => {
    const wrong = () =>
      resolve({
        heartbeat: { intervalMs: 1_500, times: 0 },
        serviceCenter: { addresses: ['ftp://registry'] },
        instance: null,
        microservice: { tags: { '1st': 7 } },
        retries: 3,
      });
    expect(wrong).toThrow(RegistryOptionsError);
    expect(wrong).toThrow(
      'Invalid registry options: retries is not an option; ' +
        'serviceCenter.addresses[0] must be an absolute http or https URL, got "ftp://registry"; ' +
        'microservice.tags.1st must have a key that fits: it must be 1 to 64 letters, digits, ' +
        '"_", "-" and ".", a letter first, got "1st"; ' +
        'microservice.tags.1st must be 1 to 64 letters, digits, "_", "-" and ".", a letter first, ' +
        'got 7; ' +
        'instance must be an object, got null; ' +
        'heartbeat.intervalMs must be a whole number of seconds from 1000 to 600000, got 1500; ' +
        'heartbeat.times must be a whole number from 1 to 1000, got 0',
    );
  });

  it('checks a disabled module too', () => {
    expect(issuesOf({ enabled: false, shutdown: { timeoutMs: 1 } })).toHaveLength(1);
  });

  it('reads what an instance of a class inherits', () => {
    class Config {
      get heartbeat() {
        return { intervalMs: 30_000 };
      }
    }
    expect(resolve(new Config()).heartbeat.intervalMs).toBe(30_000);
  });

  it.each([
    ['null', null, 'options must be an object, got null'],
    ['text', 'http://127.0.0.1:30100', 'options must be an object, got "http://127.0.0.1:30100"'],
    ['a list', [1], 'options must be an object, got an array'],
    ['a function', () => ({}), 'options must be an object, got a function'],
    [
      'a promise that nobody awaited',
      Promise.resolve({}),
      'options must be an object, got [object Promise]',
    ],
    ['a group of the wrong type', { heartbeat: 15_000 }, 'heartbeat must be an object, got 15000'],
    ['a map', { heartbeat: new Map() }, 'heartbeat must be an object, got [object Map]'],
    [
      'null for an option',
      { heartbeat: { times: null } },
      'heartbeat.times must be a whole number from 1 to 1000, got null',
    ],
    [
      'an unknown option',
      { heartbeat: { interval: 1 } },
      'heartbeat.interval is not an option; did you mean heartbeat.intervalMs?',
    ],
    [
      'a key that needs quotes',
      { shutdown: { 'time out': 1 } },
      'shutdown["time out"] is not an option',
    ],
    [
      'such a key at the top',
      { 'heart beat': 1 },
      '"heart beat" is not an option; did you mean heartbeat?',
    ],
  ])('names %s', (_, options, issue) => {
    expect(issuesOf(options)).toEqual([issue]);
  });

  it.each([
    ['an option', { heartbeat: failing('intervalMs') }, 'heartbeat.intervalMs'],
    ['a group', failing('shutdown'), 'shutdown'],
    ['a property', { instance: { properties: failing('zone') } }, 'instance.properties.zone'],
    ['a list', { instance: { endpoints: proxyThatThrows([]) } }, 'instance.endpoints'],
    ['the keys of a group', { shutdown: proxyThatThrows({}) }, 'shutdown'],
    ['a proxy that is gone', { shutdown: revoked() }, 'shutdown'],
  ])('survives %s that cannot be read', (_, options, path) => {
    expect(issuesOf(options)).toContain(`${path} cannot be read: reading it throws`);
  });

  it('shares nothing with the options and freezes all of the result', () => {
    const options = {
      serviceCenter: { addresses: ['http://a', 'http://b'] },
      microservice: {
        properties: { a: '1' },
        tags: { b: 'two' },
        schemas: ['c'],
        framework: { name: 'x', version: '1' },
      },
      instance: {
        endpoints: ['rest://10.0.0.7:3000'],
        properties: { d: '4' },
        dataCenter: { name: 'dc', region: 'r', availableZone: 'z' },
      },
    };
    const shared = objectsIn(resolve(options)).filter(part =>
      [...objectsIn(options), ...objectsIn(defaults)].includes(part),
    );
    expect(shared).toEqual([]);
    expect(objectsIn(resolve(options)).every(Object.isFrozen)).toBe(true);
  });

  it('shares nothing with the defaults', () => {
    const own = new Set(objectsIn(defaults));
    expect(objectsIn(resolve({})).some(part => own.has(part))).toBe(false);
  });

  it('answers frozen options or throws a RegistryOptionsError, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(anything(), optionLike()), options => {
        const resolved = resolvedOrIssues(options);
        expect(resolved.every(Object.isFrozen)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('takes one line for each issue, whatever it is given', () => {
    fc.assert(
      fc.property(optionLike(), options => {
        for (const issue of issuesOf(options)) expect(issue).toMatch(/^\P{Cc}{1,500}$/u);
      }),
    );
  });
});

function failing(name: string): object {
  return Object.defineProperty({}, name, {
    enumerable: true,
    get() {
      throw new Error('the getter is broken');
    },
  });
}

function proxyThatThrows(target: object): object {
  const broken = (): never => {
    throw new Error('the proxy is broken');
  };
  return new Proxy(target, {
    ownKeys: broken,
    get: (object, key, receiver): unknown =>
      key === Symbol.toStringTag ? Reflect.get(object, key, receiver) : broken(),
  });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** An object and all objects in it. */
function objectsIn(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(objectsIn)];
}

function resolvedOrIssues(options: unknown): readonly object[] {
  try {
    return objectsIn(resolve(options));
  } catch (error) {
    expect(error).toBeInstanceOf(RegistryOptionsError);
    return [];
  }
}

function anything(): fc.Arbitrary<unknown> {
  return fc.anything({
    key: fc.oneof(fc.string(), fc.constantFrom(...Object.keys(defaults))),
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  });
}

/** Options whose names exist and whose values are mostly absent, else anything: some are right. */
function optionLike(): fc.Arbitrary<unknown> {
  const groups = Object.entries(defaults).map(([name, group]) => {
    const options = Object.keys(group).map(option => [option, mostly(fc.constant(undefined))]);
    const members: fc.Arbitrary<unknown> = fc.record(Object.fromEntries(options));
    return [name, mostly(typeof group === 'boolean' ? fc.boolean() : members)];
  });
  return fc.record(Object.fromEntries(groups));
}

function mostly(usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 19, arbitrary: usual }, { weight: 1, arbitrary: fc.anything() });
}
