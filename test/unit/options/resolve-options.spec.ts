import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';

import { RegistryOptionsError } from '../../../lib/errors.js';
import { defaults } from '../../../lib/options/defaults.js';
import { issuesOf, plainRules, resolve } from './resolving.js';

describe('resolveOptions', () => {
  it('fills in everything when nothing is given', () => {
    expect(resolve({})).toEqual({
      enabled: true,
      profile: 'open-source',
      serviceCenter: {
        addresses: ['http://127.0.0.1:30100'],
        addressesFrom: 'the default of serviceCenter.addresses',
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
      schemas: { documents: undefined, onMismatch: 'overwrite' },
      shutdown: { timeoutMs: 3_000, drainMs: 0, statusFirst: false },
      discovery: {
        enabled: true,
        pollIntervalMs: 15_000,
        neverEarly: false,
        watch: true,
        keepMs: 120_000,
        warmUp: [],
        picker: plainRules.picker,
        zone: 'prefer',
        ejection: { failures: 5, firstMs: 5_000, longestMs: 60_000, share: 0.5 },
        providers: new Map(),
        own: { appId: 'default', environment: '', dataCenter: undefined },
      },
      warnings: [],
    });
  });

  it.each([
    ['false', false],
    ['FALSE', false],
    [' false ', false],
    ['true', true],
    ['', true],
    [undefined, true],
  ])('is switched by SERVICECOMB_ENABLED=%j: %j', (SERVICECOMB_ENABLED, enabled) => {
    expect(resolve({}, { env: { SERVICECOMB_ENABLED } }).enabled).toBe(enabled);
  });

  it('takes the option rather than SERVICECOMB_ENABLED', () => {
    const env = { SERVICECOMB_ENABLED: 'false' };
    expect(resolve({ enabled: true }, { env }).enabled).toBe(true);
  });

  it.each(['no', '0', '1', 'off', 'disabled'])('refuses SERVICECOMB_ENABLED=%j', value => {
    expect(issuesOf({}, { env: { SERVICECOMB_ENABLED: value } })).toEqual([
      `enabled must be true or false, got "${value}" from SERVICECOMB_ENABLED`,
    ]);
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
      'Invalid registry options: retries is not an option; valid options are enabled, isGlobal, profile, ' +
        'serviceCenter, microservice, instance, heartbeat, registration, schemas, shutdown, discovery; ' +
        'serviceCenter.addresses[0] must be an absolute http or https URL, got "ftp://registry"; ' +
        'microservice.tags.1st must have a valid key: it must be 1 to 64 letters, digits, ' +
        '"_", "-" and ".", a letter first, got "1st"; ' +
        'microservice.tags.1st must be 1 to 64 letters, digits, "_", "-" and ".", a letter first, ' +
        'got 7; ' +
        'instance must be an object, got null; ' +
        'heartbeat.intervalMs must be a whole number of seconds from 1000 to 600000, got 1500; ' +
        'heartbeat.times must be a whole number from 1 to 1000, got 0',
    );
  });

  it('checks each schema, and keeps the documents from being frozen or printed', () => {
    const documents = { a: 'A', b: 7 };
    expect(issuesOf({ schemas: { documents, onMismatch: 'warn' } })).toEqual([
      'schemas.documents.b must be a text, got 7',
      'schemas.onMismatch must be one of "overwrite", "ignore", "fail", got "warn"',
    ]);
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`s${n}`, 'x']));
    expect(issuesOf({ schemas: { documents: many } })).toEqual([
      'schemas.documents must have at most 100 entries, got 101',
    ]);
    const { schemas } = resolve({ schemas: { documents: { a: 'A' } } });
    expect(schemas.documents?.()).toEqual({ a: 'A' });
    expect(Object.isFrozen(schemas.documents?.())).toBe(false);
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
      'heartbeat.interval is not an option; valid options are intervalMs, times, jitter, verifyEvery',
    ],
    [
      'a key that needs quotes',
      { shutdown: { 'time out': 1 } },
      'shutdown["time out"] is not an option; valid options are timeoutMs, drainMs, statusFirst',
    ],
    [
      'such a key at the top',
      { 'heart beat': 1 },
      '"heart beat" is not an option; valid options are enabled, isGlobal, profile, serviceCenter, microservice, ' +
        'instance, heartbeat, registration, schemas, shutdown, discovery',
    ],
  ])('names %s', (_, options, issue) => {
    expect(issuesOf(options)).toEqual([issue]);
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

describe('heartbeat, registration and shutdown', () => {
  it.each([
    { heartbeat: { intervalMs: 1_000 } },
    { heartbeat: { intervalMs: 600_000 } },
    { heartbeat: { times: 1 } },
    { heartbeat: { times: 1_000 } },
    { heartbeat: { jitter: 0.5 } },
    { heartbeat: { verifyEvery: 10_000 } },
    { registration: { when: 'listen' } },
    { registration: { when: 'bootstrap' } },
    { registration: { when: 'manual' } },
    { registration: { failFast: true } },
    { registration: { retry: { initialMs: 10, maxMs: 10, factor: 1 } } },
    { registration: { retry: { initialMs: 600_000, maxMs: 600_000, factor: 10 } } },
    { registration: { retry: { factor: 1.5 } } },
    { shutdown: { timeoutMs: 100 } },
    { shutdown: { timeoutMs: 60_000, drainMs: 600_000 } },
    { shutdown: { statusFirst: true } },
    { serviceCenter: { learnAddresses: true } },
  ])('accept %j', options => {
    expect(resolve(options)).toMatchObject(options);
  });

  const seconds = 'must be a whole number of seconds from 1000 to 600000';
  const initial = 'must be a whole number of milliseconds from 10 to 600000';
  it.each([
    [{ heartbeat: { intervalMs: 0 } }, `heartbeat.intervalMs ${seconds}, got 0`],
    [{ heartbeat: { intervalMs: 1_500 } }, `heartbeat.intervalMs ${seconds}, got 1500`],
    [{ heartbeat: { intervalMs: 601_000 } }, `heartbeat.intervalMs ${seconds}, got 601000`],
    [{ heartbeat: { intervalMs: '15000' } }, `heartbeat.intervalMs ${seconds}, got "15000"`],
    [{ heartbeat: { intervalMs: Infinity } }, `heartbeat.intervalMs ${seconds}, got Infinity`],
    [{ heartbeat: { times: 0 } }, 'heartbeat.times must be a whole number from 1 to 1000, got 0'],
    [
      { heartbeat: { times: 1.5 } },
      'heartbeat.times must be a whole number from 1 to 1000, got 1.5',
    ],
    [
      { heartbeat: { times: 1_001 } },
      'heartbeat.times must be a whole number from 1 to 1000, got 1001',
    ],
    [{ heartbeat: { jitter: 0.6 } }, 'heartbeat.jitter must be a number from 0 to 0.5, got 0.6'],
    [{ heartbeat: { jitter: -0.1 } }, 'heartbeat.jitter must be a number from 0 to 0.5, got -0.1'],
    [{ shutdown: { statusFirst: 'yes' } }, 'shutdown.statusFirst must be true or false, got "yes"'],
    [
      { serviceCenter: { learnAddresses: 1 } },
      'serviceCenter.learnAddresses must be true or false, got 1',
    ],
    [
      { heartbeat: { jitter: Number.NaN } },
      'heartbeat.jitter must be a number from 0 to 0.5, got NaN',
    ],
    [
      { heartbeat: { verifyEvery: -1 } },
      'heartbeat.verifyEvery must be a whole number from 0 to 10000, got -1',
    ],
    [
      { registration: { when: 'later' } },
      'registration.when must be one of "listen", "bootstrap", "manual", got "later"',
    ],
    [
      { registration: { failFast: 'true' } },
      'registration.failFast must be true or false, got "true"',
    ],
    [
      { registration: { retry: { initialMs: 9 } } },
      `registration.retry.initialMs ${initial}, got 9`,
    ],
    [
      { registration: { retry: { maxMs: 600_001 } } },
      'registration.retry.maxMs must be a whole number of milliseconds from 1000 to 600000, got 600001',
    ],
    [
      { registration: { retry: { initialMs: 500, maxMs: 400 } } },
      'registration.retry.maxMs must be a whole number of milliseconds from 500 to 600000, got 400',
    ],
    [
      { registration: { retry: { factor: 0.9 } } },
      'registration.retry.factor must be a number from 1 to 10, got 0.9',
    ],
    [
      { registration: { retry: { attempts: 3 } } },
      'registration.retry.attempts is not an option; valid options are initialMs, maxMs, factor',
    ],
    [{ registration: { retry: 3 } }, 'registration.retry must be an object, got 3'],
    [
      { shutdown: { timeoutMs: 99 } },
      'shutdown.timeoutMs must be a whole number of milliseconds from 100 to 60000, got 99',
    ],
    [
      { shutdown: { drainMs: 600_001 } },
      'shutdown.drainMs must be a whole number of milliseconds from 0 to 600000, got 600001',
    ],
  ])('refuse %j', (options, issue) => {
    expect(issuesOf(options)).toEqual([issue]);
  });

  it('let the longest pause grow with the first one', () => {
    const { retry } = resolve({ registration: { retry: { initialMs: 60_000 } } }).registration;
    expect(retry).toEqual({ initialMs: 60_000, maxMs: 60_000, factor: 2 });
  });

  it.each([
    [1_000, undefined, 2_000],
    [10_000, undefined, 20_000],
    [15_000, undefined, 30_000],
    [60_000, undefined, 30_000],
    [1_000, 60_000, 60_000],
  ])(
    'pause at an interval of %i ms and a maximum of %p for %i ms at most',
    (intervalMs, maxMs, most) => {
      const { registration } = resolve({
        heartbeat: { intervalMs },
        registration: { retry: { maxMs } },
      });
      expect(registration.retry.maxMs).toBe(most);
    },
  );
});

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
