import { describe, expect, it } from '@jest/globals';

import { issuesOf, resolve } from './resolving.js';

const mustBeUrl = 'must be an absolute http or https URL';

function addresses(...written: readonly unknown[]) {
  return { serviceCenter: { addresses: written } };
}

describe('serviceCenter.addresses', () => {
  it.each([
    ['keep their order', ['http://b:30100', 'https://a'], ['http://b:30100', 'https://a']],
    ['keep a path prefix', ['https://gateway/sc/v1'], ['https://gateway/sc/v1']],
    ['lose a trailing slash', ['http://a/', 'http://b/sc/'], ['http://a', 'http://b/sc']],
    [
      'are listed once',
      ['http://a', 'HTTP://A:80/', 'http://b', 'http://a'],
      ['http://a', 'http://b'],
    ],
    ['may be IPv6', ['http://[::1]:30100'], ['http://[::1]:30100']],
    ['may have an @ in the path', ['http://a/@b'], ['http://a/@b']],
    [
      'may be a list with commas',
      ['http://a, http://b/,', 'http://c'],
      ['http://a', 'http://b', 'http://c'],
    ],
    ['may be undefined or empty beside others', [undefined, 'http://a', ' '], ['http://a']],
    ['are the default when none is set', [undefined], ['http://127.0.0.1:30100']],
    ['are the default when all are empty', ['', undefined], ['http://127.0.0.1:30100']],
  ])('%s', (_, written, resolved) => {
    expect(resolve(addresses(...written)).serviceCenter.addresses).toEqual(resolved);
  });

  it.each([
    'ftp://a',
    '127.0.0.1:30100',
    '/sc',
    'http:a',
    'http:///a',
    'http://',
    'http:\\\\a',
    'http://a\\b',
    'http://a b',
    'http://a:99999',
  ])('refuse %j, which is no absolute URL of the web', address => {
    expect(issuesOf(addresses(address))).toEqual([
      `serviceCenter.addresses[0] ${mustBeUrl}, got ${JSON.stringify(address)}`,
    ]);
  });

  it.each([7, null, {}])('refuse %p, which is no text', address => {
    expect(issuesOf(addresses('http://a', address))[0]).toMatch(
      /^serviceCenter\.addresses\[1\] must be an absolute http or https URL, got /,
    );
  });

  it.each([
    'http://admin:s3cret@a:30100',
    'http://s3cret@a:30100',
    'https://admin:s3/cret@a',
    'https://admin:s3?cret@a',
    'https://admin:s3@cret@a',
    'admin:s3cret@a:30100',
    'http://a:30100/?token=s3cret',
  ])('refuse %j without telling the secret', address => {
    for (const written of [addresses(address), { serviceCenter: { addresses: address } }]) {
      if (address.includes('?token') && !Array.isArray(written.serviceCenter.addresses)) continue;
      const [issue, ...more] = issuesOf(written);
      expect(issue).toMatch(/^serviceCenter\.addresses/);
      expect(issue).not.toMatch(/s3|cret/);
      expect(more).toEqual([]);
    }
  });

  it('say why credentials are refused', () => {
    expect(issuesOf(addresses('http://admin:secret@a:30100/sc'))).toEqual([
      'serviceCenter.addresses[0] must not contain a user or a password, got "http://***@a:30100/sc"',
    ]);
  });

  it.each(['http://a/sc?', 'http://a/sc?x=1', 'http://a/sc#x'])(
    'refuse the query of %j',
    address => {
      expect(issuesOf(addresses(address))).toEqual([
        'serviceCenter.addresses[0] must have no query and no fragment, got "http://a/sc"',
      ]);
    },
  );

  it.each([
    [[], 'must have at least one address, got an empty array'],
    ['http://a', 'must be an array, got "http://a"'],
    [{ 0: 'http://a' }, 'must be an array, got an object'],
  ])('refuse %j', (written, message) => {
    expect(issuesOf({ serviceCenter: { addresses: written } })).toEqual([
      `serviceCenter.addresses ${message}`,
    ]);
  });
});

describe('serviceCenter.addresses from the environment', () => {
  const SERVICE_CENTER_ADDRESS = 'http://a:30100, http://b:30100/ ,,';
  const PAAS_CSE_SC_ENDPOINT = 'https://cse';

  it.each([
    [{ SERVICE_CENTER_ADDRESS, PAAS_CSE_SC_ENDPOINT }, ['http://a:30100', 'http://b:30100']],
    [{ PAAS_CSE_SC_ENDPOINT }, ['https://cse']],
    [{ SERVICE_CENTER_ADDRESS: ' , ', PAAS_CSE_SC_ENDPOINT }, ['https://cse']],
    [{ SERVICE_CENTER_ADDRESS: '' }, ['http://127.0.0.1:30100']],
  ])('are %j → %j', (env, resolved) => {
    expect(resolve({}, { env }).serviceCenter.addresses).toEqual(resolved);
  });

  it('count when the option has no address in it', () => {
    const env = { SERVICE_CENTER_ADDRESS };
    expect(resolve(addresses(undefined), { env }).serviceCenter.addresses).toEqual([
      'http://a:30100',
      'http://b:30100',
    ]);
  });

  it.each([
    [addresses('http://a'), 'serviceCenter.addresses'],
    [{}, 'SERVICE_CENTER_ADDRESS'],
    [addresses(undefined), 'SERVICE_CENTER_ADDRESS'],
  ])('are resolved with their origin: %j has them from %s', (options, origin) => {
    const env = { SERVICE_CENTER_ADDRESS, PAAS_CSE_SC_ENDPOINT };
    expect(resolve(options, { env }).serviceCenter.addressesFrom).toBe(origin);
  });

  it('give way to the option', () => {
    const env = { SERVICE_CENTER_ADDRESS: 'not looked at' };
    expect(resolve(addresses('http://a'), { env }).serviceCenter.addresses).toEqual(['http://a']);
  });

  it.each(['SERVICE_CENTER_ADDRESS', 'PAAS_CSE_SC_ENDPOINT'])(
    'are named by %s when wrong',
    name => {
      expect(issuesOf({}, { env: { [name]: 'http://a,b:30100' } })).toEqual([
        `serviceCenter.addresses ${mustBeUrl}, got "b:30100" from ${name}`,
      ]);
    },
  );

  it.each([
    ['https://admin:s3cret@a', 'must not contain a user or a password, got "https://***@a"'],
    [
      'https://b,https://admin:s3cret@a',
      'must not contain a user or a password, got "https://***@a"',
    ],
    ['https://admin:s3,cret@a', 'must not contain a user or a password, got "https://***@a"'],
    ['https://admin:30,cret,s3@a', 'must not contain a user or a password, got "https://***@a"'],
    ['https://b, https://admin:s3,cret@a', `${mustBeUrl}, got "https://***@a"`],
    ['admin:s3,cret@a', `${mustBeUrl}, got "***@a"`],
  ])('are refused when they are %j, without telling the secret', (list, message) => {
    expect(issuesOf({}, { env: { PAAS_CSE_SC_ENDPOINT: list } })).toEqual([
      `serviceCenter.addresses ${message} from PAAS_CSE_SC_ENDPOINT`,
    ]);
  });

  it('may have an @ in a path', () => {
    const env = { PAAS_CSE_SC_ENDPOINT: 'https://a/@b,https://c' };
    expect(resolve({}, { env }).serviceCenter.addresses).toEqual(['https://a/@b', 'https://c']);
  });
});

describe('the other options of serviceCenter', () => {
  it.each([
    { project: 'a' },
    { project: '租'.repeat(64) },
    { project: '😀'.repeat(64) },
    { project: '...' },
    { domain: 'my%20tenant' },
    { timeoutMs: 100 },
    { timeoutMs: 60_000 },
  ])('accept %j', serviceCenter => {
    expect(resolve({ serviceCenter }).serviceCenter).toMatchObject(serviceCenter);
  });

  const project =
    'must be 1 to 64 characters other than "." and "..", without a line break or another control character';
  const domain = 'must be visible ASCII characters, with all others encoded';
  const timeoutMs = 'must be a whole number of milliseconds from 100 to 60000';
  it.each([
    [{ project: '' }, `project ${project}, got ""`],
    [{ project: '.' }, `project ${project}, got "."`],
    [{ project: '..' }, `project ${project}, got ".."`],
    [{ project: 'a'.repeat(65) }, `project ${project}, got "${'a'.repeat(65)}"`],
    [{ project: '\ud800' }, `project ${project}, got "\\ud800"`],
    [{ project: 'blue\n' }, `project ${project}, got "blue\\n"`],
    [{ project: 7 }, `project ${project}, got 7`],
    [{ domain: '' }, `domain ${domain}, got ""`],
    [{ domain: 'my tenant' }, `domain ${domain}, got "my tenant"`],
    [{ domain: '租户' }, `domain ${domain}, got "租户"`],
    [{ domain: true }, `domain ${domain}, got true`],
    [{ timeoutMs: 99 }, `timeoutMs ${timeoutMs}, got 99`],
    [{ timeoutMs: 60_001 }, `timeoutMs ${timeoutMs}, got 60001`],
    [{ timeoutMs: 100.5 }, `timeoutMs ${timeoutMs}, got 100.5`],
    [{ timeoutMs: '5000' }, `timeoutMs ${timeoutMs}, got "5000"`],
    [{ timeoutMs: Number.NaN }, `timeoutMs ${timeoutMs}, got NaN`],
    [{ timeoutMs: 5_000n }, `timeoutMs ${timeoutMs}, got 5000n`],
    [{ timeoutMs: Symbol('soon') }, `timeoutMs ${timeoutMs}, got a symbol`],
  ])('refuse %p', (serviceCenter, issue) => {
    expect(issuesOf({ serviceCenter })).toEqual([`serviceCenter.${issue}`]);
  });

  it('take no proxy for axios, and do not tell the one that was given', () => {
    const axios = { proxy: { host: 'p', port: 1, auth: { username: 'me', password: 's3cret' } } };
    expect(issuesOf({ serviceCenter: { axios } })).toEqual([
      'serviceCenter.axios.proxy must not be set: put a proxy agent into serviceCenter.axios.httpsAgent',
    ]);
    expect(issuesOf({ serviceCenter: { axios: { proxy: false } } })).toEqual([]);
  });

  it('take no setting of axios that would have no effect, and do not tell its value', () => {
    const axios = { timeout: 5, auth: { username: 'me', password: 's3cret' }, headers: { a: 'b' } };
    const message = 'must not be set: only headers, httpAgent and httpsAgent have an effect';
    expect(issuesOf({ serviceCenter: { axios } })).toEqual([
      `serviceCenter.axios.timeout ${message}`,
      `serviceCenter.axios.auth ${message}`,
    ]);
  });
});
