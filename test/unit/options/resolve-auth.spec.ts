import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { issuesOf, resolve } from './resolving.js';

const canary = 'CANARY-5f2c';

function authOf(auth: unknown) {
  return resolve({ serviceCenter: { auth } }).serviceCenter.auth;
}

const oneOf =
  'must be one of { username, password }, { username, passwordFile }, { accessKey, secretKey }, ' +
  '{ token } and { headers }';

const password = 'must be a text without a line break, or a function that returns one';
const name = '1 to 64 characters without a line break or another control character';

describe('serviceCenter.auth', () => {
  it('is none by default', () => {
    expect(authOf(undefined)).toBeUndefined();
  });

  it('takes an account with its password, or with a file or a function that has it', async () => {
    for (const password of [canary, () => canary, async () => canary]) {
      const auth = authOf({ username: 'root', password });
      expect(auth).toMatchObject({ kind: 'account', username: 'root' });
      expect(await (auth?.kind === 'account' ? auth.password?.() : '')).toBe(canary);
    }
    expect(authOf({ username: 'root', passwordFile: '/run/secret' })).toMatchObject({
      kind: 'account',
      passwordFile: '/run/secret',
      password: undefined,
    });
  });

  it('takes a pair of keys, a token and headers', async () => {
    const keys = authOf({ accessKey: 'AK', secretKey: canary, project: 'p' });
    expect(keys).toMatchObject({ kind: 'keyPair', project: 'p' });
    expect(keys?.kind === 'keyPair' && [keys.accessKey(), keys.secretKey()]).toEqual([
      'AK',
      canary,
    ]);
    const token = authOf({ token: canary });
    expect(token?.kind === 'token' && (await token.token())).toBe(canary);
    const headers = authOf({ headers: () => ({ 'X-Auth-Token': canary }) });
    expect(headers?.kind === 'headers' && (await headers.headers())).toEqual({
      'X-Auth-Token': canary,
    });
  });

  it('shows no secret in a copy of the options, whatever prints it', () => {
    for (const auth of [
      { username: 'root', password: canary },
      { accessKey: canary, secretKey: canary },
      { token: canary },
    ]) {
      const options = resolve({ serviceCenter: { auth } });
      expect(inspect(options, { depth: 9, showHidden: true })).not.toContain(canary);
      expect(JSON.stringify(options)).not.toContain(canary);
    }
  });

  it.each([
    [{}, `serviceCenter.auth ${oneOf}, got "0 of them"`],
    [{ token: canary, headers: () => ({}) }, `serviceCenter.auth ${oneOf}, got "2 of them"`],
    [
      { username: 'u', password: canary, token: canary },
      `serviceCenter.auth ${oneOf}, got "2 of them"`,
    ],
    [null, 'serviceCenter.auth must be an object, got null'],
    [canary, 'serviceCenter.auth must be an object'],
    [{ password: canary }, 'serviceCenter.auth.username must be set, got undefined'],
    [
      { username: 'root' },
      'serviceCenter.auth.password or passwordFile must be set, and not both, got undefined',
    ],
    [
      { username: 'root', password: canary, passwordFile: '/f' },
      'serviceCenter.auth.password or passwordFile must be set, and not both, got undefined',
    ],
    [{ username: 'root', password: 5 }, `serviceCenter.auth.password ${password}, got a number`],
    [
      { username: 'root', password: '' },
      `serviceCenter.auth.password ${password}, got an empty text`,
    ],
    [
      { username: 'root', password: '  ' },
      `serviceCenter.auth.password ${password}, got nothing but white space`,
    ],
    [
      { username: 'root', password: `${canary}\r\n` },
      `serviceCenter.auth.password ${password}, got a text with a line break at its end`,
    ],
    [
      { username: 'root', password: `\ufeff${canary}` },
      `serviceCenter.auth.password ${password}, got a text with a byte order mark`,
    ],
    [
      { username: 'root', password: `${canary}\0` },
      `serviceCenter.auth.password ${password}, got a text with a control character`,
    ],
    [
      { username: 'root\n', password: canary },
      `serviceCenter.auth.username must be ${name}, got "root\\n"`,
    ],
    [
      { username: '\ufeffroot', password: canary },
      `serviceCenter.auth.username must be ${name}, got "\ufeffroot"`,
    ],
    [
      { accessKey: 'AK', secretKey: canary, project: 'blue\n' },
      `serviceCenter.auth.project must be ${name}, got "blue\\n"`,
    ],
    [
      { token: `${canary}\n` },
      'serviceCenter.auth.token must be a text of visible ASCII characters or a function that returns one, got a text with a line break at its end',
    ],
    [{ accessKey: 'AK' }, 'serviceCenter.auth.secretKey must be set, got undefined'],
    [
      { accessKey: 'AK', secretKey: `${canary}\n` },
      'serviceCenter.auth.secretKey must be visible ASCII characters, got a text with a line break at its end',
    ],
    [
      { token: `${canary} ${canary}` },
      'serviceCenter.auth.token must be a text of visible ASCII characters or a function that returns one, got a text that is not shown',
    ],
    [
      { headers: { 'X-Auth-Token': canary } },
      'serviceCenter.auth.headers must be a function that returns an object of headers, got an object',
    ],
    [{ token: 't', tokn: canary }, 'serviceCenter.auth.tokn is not an option'],
  ])('refuses %#, and shows no secret', (auth, issue) => {
    const issues = issuesOf({ serviceCenter: { auth } });
    expect(issues[0]?.startsWith(issue)).toBe(true);
    expect(issues.join()).not.toContain(canary);
  });
});
