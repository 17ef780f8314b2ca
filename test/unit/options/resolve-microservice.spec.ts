import { describe, expect, it } from '@jest/globals';

import { issuesOf, resolve } from './resolving.js';

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}

function tagged(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(numbered(count).map(key => [key, 'x']));
}

function nameOf(most: number): string {
  return `must be 1 to ${most} letters, digits, "_", "-" and ".", a letter or digit first and last`;
}

describe('microservice', () => {
  it.each([
    { appId: 'a' },
    { appId: 'a'.repeat(160) },
    { serviceName: 'com.acme_orders-2' },
    { serviceName: '7' },
    { serviceName: 'a'.repeat(128) },
    { environment: 'production' },
    { environment: 'acceptance' },
    { description: '描'.repeat(256) },
    { description: '😀'.repeat(256) },
    { description: 'two\nlines' },
    { level: 'FRONT' },
    { alias: 'a:b.c-d_e' },
    { framework: { name: 'nestjs', version: '' } },
    { framework: { name: 'n'.repeat(64), version: '版'.repeat(64) } },
    { properties: { '': '', 'any key': 'any value' } },
    { tags: { zone: 'a_b-c.1' } },
    { tags: { ['k'.repeat(64)]: 'v'.repeat(64) } },
    { tags: tagged(100) },
    { schemas: [] },
    { schemas: ['a', 'b.C_d-9', 's'.repeat(160)] },
    { schemas: numbered(100) },
  ])('accepts %j', microservice => {
    expect(resolve({ microservice }).microservice).toMatchObject(microservice);
  });

  const alias = 'alias must be at most 128 letters, digits, "_", "-", "." and ":"';
  const tag = 'must be 1 to 64 letters, digits, "_", "-" and ".", a letter first';
  it.each([
    [{ appId: '' }, `appId ${nameOf(160)}, got ""`],
    [{ appId: 'a.' }, `appId ${nameOf(160)}, got "a."`],
    [{ appId: 'a'.repeat(161) }, `appId ${nameOf(160)}, got "${'a'.repeat(80)}…"`],
    [{ serviceName: '' }, `serviceName ${nameOf(128)}, got ""`],
    [{ serviceName: '@acme/orders' }, `serviceName ${nameOf(128)}, got "@acme/orders"`],
    [{ serviceName: '-orders' }, `serviceName ${nameOf(128)}, got "-orders"`],
    [{ serviceName: 'orders\n' }, `serviceName ${nameOf(128)}, got "orders\\n"`],
    [{ serviceName: 'ордера' }, `serviceName ${nameOf(128)}, got "ордера"`],
    [{ serviceName: 'a'.repeat(129) }, `serviceName ${nameOf(128)}, got "${'a'.repeat(80)}…"`],
    [{ serviceName: null }, `serviceName ${nameOf(128)}, got null`],
    [
      { environment: 'prod' },
      'environment must be one of "", "development", "testing", "acceptance", "production", ' +
        'got "prod"',
    ],
    [
      { description: 'd'.repeat(257) },
      `description must be at most 256 characters, got "${'d'.repeat(80)}…"`,
    ],
    [{ level: 'back' }, 'level must be one of "FRONT", "MIDDLE", "BACK", got "back"'],
    [{ alias: 'a b' }, `${alias}, got "a b"`],
    [{ alias: 'a'.repeat(129) }, `${alias}, got "${'a'.repeat(80)}…"`],
    [
      { framework: { name: 'koa' } },
      'framework.version must be at most 64 characters, got undefined',
    ],
    [{ framework: { version: '1' } }, `framework.name ${nameOf(64)}, got undefined`],
    [{ framework: { name: 'koa!', version: '1' } }, `framework.name ${nameOf(64)}, got "koa!"`],
    [
      { framework: { name: 'koa', version: '1'.repeat(65) } },
      `framework.version must be at most 64 characters, got "${'1'.repeat(65)}"`,
    ],
    [{ framework: 'koa' }, 'framework must be an object, got "koa"'],
    [{ properties: { replicas: 3 } }, 'properties.replicas must be a string, got 3'],
    [{ properties: { 'a b': null } }, 'properties["a b"] must be a string, got null'],
    [{ properties: [['a', 'b']] }, 'properties must be an object, got an array'],
    [{ tags: { zone: '1a' } }, `tags.zone ${tag}, got "1a"`],
    [{ tags: { zone: '' } }, `tags.zone ${tag}, got ""`],
    [{ tags: { 'a b': 'c' } }, `tags["a b"] must have a valid key: it ${tag}, got "a b"`],
    [{ tags: tagged(101) }, 'tags must have at most 100 entries, got 101'],
    [{ schemas: 'a' }, 'schemas must be an array, got "a"'],
    [{ schemas: ['a', 'b-'] }, `schemas[1] ${nameOf(160)}, got "b-"`],
    [{ schemas: ['a', undefined] }, `schemas[1] ${nameOf(160)}, got undefined`],
    [{ schemas: numbered(101) }, 'schemas must have at most 100 entries, got 101'],
    [{ status: 'UP' }, 'status is not an option; did you mean instance.status?'],
  ])('refuses %j', (microservice, issue) => {
    expect(issuesOf({ microservice })).toEqual([`microservice.${issue}`]);
  });

  it('takes a property that is undefined for absent', () => {
    const microservice = { properties: { zone: undefined, color: 'red' } };
    expect(resolve({ microservice }).microservice.properties).toEqual({ color: 'red' });
  });

  it('does not take the version of NestJS for that of another framework', () => {
    const framework = { name: 'koa', version: '3' };
    expect(resolve({ microservice: { framework } }).microservice.framework).toEqual(framework);
    expect(resolve({}, { frameworkVersion: undefined }).microservice.framework).toEqual({
      name: 'nestjs',
      version: '',
    });
  });
});

describe('microservice.serviceName from package.json', () => {
  it.each([
    ['orders', 'orders'],
    ['@acme/orders', 'orders'],
    ['@acme/orders.api-v2', 'orders.api-v2'],
  ])('of %j is %j', (packageName, serviceName) => {
    expect(resolve({}, { packageName }).microservice.serviceName).toBe(serviceName);
  });

  it.each(['_orders', '@acme/orders-', 'orders~', '@acme/', 'a'.repeat(129)])(
    'of %j does not fit, and the option to set is named',
    packageName => {
      const [issue, ...more] = issuesOf({}, { packageName });
      expect(issue).toMatch(
        /^microservice\.serviceName must be .* from the name in package\.json$/,
      );
      expect(more).toEqual([]);
    },
  );

  it('is not looked at when the option is given', () => {
    const options = { microservice: { serviceName: 'orders' } };
    expect(resolve(options, { packageName: '~' }).microservice.serviceName).toBe('orders');
  });

  it('is missing without a package.json, and the option to set is named', () => {
    expect(issuesOf({}, { packageName: undefined })).toEqual([
      'microservice.serviceName must be set, since no package.json with a name was found near ' +
        'the process',
    ]);
  });
});

describe('microservice.version', () => {
  const cases = [
    ['1', '1'],
    ['1.2', '1.2'],
    ['1.2.3', '1.2.3'],
    ['1.2.3.4', '1.2.3.4'],
    ['32767.0.0', '32767.0.0'],
    ['1.2.3-beta.1', '1.2.3'],
    ['1.2.3+build.7', '1.2.3'],
    ['1.2.3-rc.1+build.7', '1.2.3'],
    ['0.0.0-development', '0.0.0'],
  ] as const;

  it.each(cases)('%j is sent as %j', (version, sent) => {
    expect(resolve({ microservice: { version } }).microservice.version).toBe(sent);
    expect(resolve({}, { packageVersion: version }).microservice.version).toBe(sent);
  });

  const wrong = ['', 'v1.2.3', '1.2.3.4.5', '1.2.x', '1.', '32768', '1.2 -beta', '0'.repeat(65)];

  it.each(wrong)('%j is refused', version => {
    const must = 'must be one to four numbers up to 32767, separated by dots';
    const issue = `microservice.version ${must}, got ${JSON.stringify(version)}`;
    expect(issuesOf({ microservice: { version } })).toEqual([issue]);
    expect(issuesOf({}, { packageVersion: version })).toEqual([
      `${issue} from the version in package.json`,
    ]);
  });

  it('is 0.0.1 when nobody says', () => {
    expect(resolve({}, { packageVersion: undefined }).microservice.version).toBe('0.0.1');
  });
});

describe('microservice from the environment', () => {
  const env = {
    SERVICECOMB_SERVICE_NAME: 'billing',
    SERVICECOMB_VERSION: '2.0.1-rc.1',
    SERVICECOMB_APP_ID: 'shop',
  };

  it('has name, version and application from the variables, before package.json', () => {
    expect(resolve({}, { env }).microservice).toMatchObject({
      serviceName: 'billing',
      version: '2.0.1',
      appId: 'shop',
    });
  });

  it('gives way to the options', () => {
    const microservice = { serviceName: 'orders', version: '1.0.0', appId: 'desk' };
    expect(resolve({ microservice }, { env }).microservice).toMatchObject(microservice);
  });

  it('does not count where a variable is blank', () => {
    const blank = {
      SERVICECOMB_SERVICE_NAME: '',
      SERVICECOMB_VERSION: ' ',
      SERVICECOMB_APP_ID: '',
    };
    expect(resolve({}, { env: blank }).microservice).toMatchObject({
      serviceName: 'orders',
      version: '1.2.3',
      appId: 'default',
    });
  });

  it('names the variable whose value is wrong', () => {
    const wrong = {
      SERVICECOMB_SERVICE_NAME: '@acme/orders',
      SERVICECOMB_VERSION: 'latest',
      SERVICECOMB_APP_ID: 'a.',
    };
    expect(issuesOf({}, { env: wrong })).toEqual([
      `microservice.appId ${nameOf(160)}, got "a." from SERVICECOMB_APP_ID`,
      `microservice.serviceName ${nameOf(128)}, got "@acme/orders" from SERVICECOMB_SERVICE_NAME`,
      'microservice.version must be one to four numbers up to 32767, separated by dots, got "latest" from ' +
        'SERVICECOMB_VERSION',
    ]);
  });
});

describe('the package.json of a workspace', () => {
  const workspace = { directory: '/srv/shop', sign: 'nx.json' };
  const facts = { workspace, packageName: '@shop/source', packageVersion: '0.0.0' };
  const remedy =
    'come from the package.json of a workspace (nx.json in /srv/shop), which all its applications share: set ' +
    'microservice.serviceName and microservice.version, or SERVICECOMB_SERVICE_NAME and SERVICECOMB_VERSION, ' +
    'for each application';

  it('is one warning with what to set when name and version come from it', () => {
    expect(resolve({}, facts).warnings).toEqual([
      `microservice.serviceName "@shop/source" and microservice.version "0.0.0" ${remedy}`,
    ]);
  });

  it('is one when only the version comes from it', () => {
    const env = { SERVICECOMB_SERVICE_NAME: 'orders' };
    expect(resolve({}, { ...facts, env }).warnings).toEqual([
      `microservice.version "0.0.0" ${remedy}`,
    ]);
  });

  it('is none when it is not used, or that of one application', () => {
    const microservice = { serviceName: 'orders', version: '1.0.0' };
    expect(resolve({ microservice }, facts).warnings).toEqual([]);
    expect(resolve({}, { ...facts, workspace: undefined }).warnings).toEqual([]);
  });
});
