import { describe, expect, it } from '@jest/globals';
import type { Picker } from '../../../lib/discovery/candidate.js';
import { issuesOf, plainRules, resolve } from './resolving.js';

const picker: Picker = ([first]) => first;
const dataCenter = { name: 'dc', region: 'eu', availableZone: 'a' };

describe('discovery', () => {
  it.each([
    { pollIntervalMs: 1_000 },
    { pollIntervalMs: 600_000 },
    { watch: false },
    { keepMs: 0 },
    { keepMs: 3_600_000 },
    { warmUp: ['greeter', 'a.b_c-d', 'alias:of:it'] },
    { zone: 'only' },
    { zone: 'ignore' },
    { ejection: { failures: 1, firstMs: 100, longestMs: 100, share: 0 } },
    { ejection: { failures: 100, firstMs: 600_000, longestMs: 3_600_000, share: 0.9 } },
    { picker },
  ])('accepts %j', discovery => {
    expect(resolve({ discovery }).discovery).toMatchObject(discovery);
  });

  it('never ejects with false', () => {
    expect(resolve({ discovery: { ejection: false } }).discovery.ejection).toBeUndefined();
  });

  it('sets aside for no less than at first', () => {
    const { ejection } = resolve({ discovery: { ejection: { firstMs: 90_000 } } }).discovery;
    expect(ejection).toMatchObject({ firstMs: 90_000, longestMs: 90_000 });
  });

  it.each([
    ['open-source', 15_000, true, false],
    ['cse-exclusive', 20_000, false, true],
    ['cse-professional', 30_000, false, true],
    ['cse-legacy', 30_000, false, true],
  ])('of %s polls and watches as that registry can bear', (profile, ...expected) => {
    const serviceCenter = { project: 'p', domain: 'd' };
    const { discovery } = resolve({ profile, serviceCenter });
    const { pollIntervalMs, watch, neverEarly } = discovery;
    expect([pollIntervalMs, watch, neverEarly]).toEqual(expected);
  });

  it('watches an engine when the option says so', () => {
    const options = { profile: 'cse-professional', discovery: { watch: true } };
    expect(resolve(options).discovery.watch).toBe(true);
  });

  it('knows where this service runs, and whether it may ask', () => {
    const microservice = { appId: 'shop', environment: 'testing' };
    const { discovery } = resolve({ enabled: false, microservice, instance: { dataCenter } });
    expect(discovery.own).toEqual({ appId: 'shop', environment: 'testing', dataCenter });
    expect(discovery.enabled).toBe(false);
  });

  it('gives a provider the name that it is called by and what is ours, unless it says otherwise', () => {
    const providers = {
      greeter: {},
      billing: {
        serviceName: 'billing-v2',
        appId: 'finance',
        environment: 'production',
        versionRule: '1.0.0+',
        endpoints: ['rest://127.0.0.1:4001'],
        picker,
        zone: 'ignore',
      },
      plain: undefined,
    };
    const options = { microservice: { appId: 'shop' }, discovery: { zone: 'only', providers } };
    const resolved = resolve(options).discovery.providers;
    const ours = {
      appId: 'shop',
      environment: '',
      versionRule: undefined,
      endpoints: undefined,
      picker: plainRules.picker,
      zone: 'only',
    };
    expect(resolved).toEqual(
      new Map<string, object>([
        ['greeter', { serviceName: 'greeter', ...ours }],
        ['billing', { ...providers.billing }],
        ['plain', { serviceName: 'plain', ...ours }],
      ]),
    );
  });

  it('is frozen, providers too, and shares no object with what was written', () => {
    const endpoints = ['rest://127.0.0.1:4001'];
    const { discovery } = resolve({ discovery: { providers: { greeter: { endpoints } } } });
    const greeter = discovery.providers.get('greeter');
    expect(greeter?.endpoints).toEqual(endpoints);
    expect(greeter?.endpoints).not.toBe(endpoints);
    for (const part of [discovery, discovery.own, discovery.providers, greeter, greeter?.endpoints])
      expect(Object.isFrozen(part)).toBe(true);
  });

  const name =
    'must be 1 to 128 letters, digits, "_", "-" and ".", a letter or digit first and last';
  const alias = 'must be 1 to 128 letters, digits, "_", "-", "." and ":"';
  const versionRule = 'must be such as "1.0.0", "1.0.0+", "1.0.0-2.0.0" or "latest"';
  const endpoint = 'must be scheme://host:port, such as "rest://127.0.0.1:3000"';
  const isFunction = 'must be a function, such as pickers.balanced';
  it.each([
    [
      { pollIntervalMs: 1_500 },
      'pollIntervalMs must be a whole number of seconds from 1000 to 600000, got 1500',
    ],
    [{ watch: 1 }, 'watch must be true or false, got 1'],
    [{ keepMs: -1 }, 'keepMs must be a whole number of milliseconds from 0 to 3600000, got -1'],
    [{ warmUp: 'greeter' }, 'warmUp must be an array, got "greeter"'],
    [{ warmUp: ['a/b'] }, `warmUp[0] ${alias}, got "a/b"`],
    [{ picker: 'random' }, `picker ${isFunction}, got "random"`],
    [{ zone: 'near' }, 'zone must be one of "prefer", "only", "ignore", got "near"'],
    [{ ejection: true }, 'ejection must be an object, got true'],
    [
      { ejection: { failures: 0 } },
      'ejection.failures must be a whole number from 1 to 100, got 0',
    ],
    [
      { ejection: { firstMs: 99 } },
      'ejection.firstMs must be a whole number of milliseconds from 100 to 600000, got 99',
    ],
    [
      { ejection: { firstMs: 200, longestMs: 100 } },
      'ejection.longestMs must be a whole number of milliseconds from 200 to 3600000, got 100',
    ],
    [{ ejection: { share: 1 } }, 'ejection.share must be a number from 0 to 0.9, got 1'],
    [
      { ejection: { times: 1 } },
      'ejection.times is not an option; valid options are failures, firstMs, longestMs, share',
    ],
    [{ providers: [] }, 'providers must be an object, got an empty array'],
    [{ providers: { 'a/b': {} } }, `providers["a/b"] must have a valid key: it ${name}, got "a/b"`],
    [{ providers: { a: null } }, 'providers.a must be an object, got null'],
    [{ providers: { a: { serviceName: '' } } }, `providers.a.serviceName ${alias}, got ""`],
    [
      { providers: { a: { appId: '-' } } },
      `providers.a.appId ${name.replace('128', '160')}, got "-"`,
    ],
    [
      { providers: { a: { environment: 'staging' } } },
      'providers.a.environment must be one of "", "development", "testing", "acceptance", "production", ' +
        'got "staging"',
    ],
    [
      { providers: { a: { versionRule: 'v1' } } },
      `providers.a.versionRule ${versionRule}, got "v1"`,
    ],
    [
      { providers: { a: { endpoints: ['a:1'] } } },
      `providers.a.endpoints[0] ${endpoint}, got "a:1"`,
    ],
    [{ providers: { a: { picker: 1 } } }, `providers.a.picker ${isFunction}, got 1`],
    [
      { providers: { a: { zone: '' } } },
      'providers.a.zone must be one of "prefer", "only", "ignore", got ""',
    ],
    [
      { providers: { a: { warmUp: true } } },
      'providers.a.warmUp is not an option; valid options are serviceName, appId, environment, versionRule, ' +
        'endpoints, picker, zone',
    ],
    [{ intervalMs: 1 }, 'intervalMs is not an option; did you mean heartbeat.intervalMs?'],
    [
      { polling: 1 },
      'polling is not an option; valid options are pollIntervalMs, watch, keepMs, warmUp, picker, zone, ' +
        'ejection, providers',
    ],
  ])('refuses %j', (discovery, issue) => {
    expect(issuesOf({ discovery })).toEqual([`discovery.${issue}`]);
  });

  it('names all wrong options in one error, also where the module is switched off', () => {
    const discovery = { keepMs: 'long', providers: { a: { endpoints: [1, 2] } } };
    expect(issuesOf({ enabled: false, discovery })).toHaveLength(3);
  });
});
