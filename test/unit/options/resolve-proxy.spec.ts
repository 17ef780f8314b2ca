import { describe, expect, it } from '@jest/globals';
import { proxyFor } from '../../../lib/options/proxy-routes.js';
import { issuesOf, resolve } from './resolving.js';

type Env = Parameters<typeof resolve>[1] extends infer Facts
  ? Facts extends { env?: infer E }
    ? E
    : never
  : never;

const routes = (proxy: unknown, env: Env = {}) =>
  resolve({ serviceCenter: { proxy } }, { env: env ?? {} }).serviceCenter.proxy;
const portTo = (url: string, env: Env) => proxyFor(new URL(url), routes('env', env))?.port;

describe('serviceCenter.proxy', () => {
  it('is none unless told, whatever the environment says', () => {
    expect(routes(undefined, { HTTPS_PROXY: 'http://p:1' })).toBeUndefined();
  });

  it('is a server for all addresses', () => {
    const server = routes('http://me:p%40ss@[::1]:3128');
    expect(server?.http).toBe(server?.https);
    expect(server?.https).toMatchObject({ host: '::1', port: 3_128 });
    expect(server?.https?.credentials?.()).toEqual({ username: 'me', password: 'p@ss' });
    expect(JSON.stringify(server)).not.toContain('p@ss');
  });

  it.each(['https://p:1', 'p:1', 'http://me:s3cret@', 'http://s3cret@p/path', 'socks5://p', 7, ''])(
    'is refused without being told: %p',
    proxy => {
      const [issue, ...more] = issuesOf({ serviceCenter: { proxy } });
      expect(issue).toMatch(/^serviceCenter\.proxy must be an http URL of host and port, .*"env"$/);
      expect(issue).not.toContain('s3cret');
      expect(more).toEqual([]);
    },
  );

  it('names the variable that is wrong, and not its value', () => {
    const env = { HTTPS_PROXY: 'https://me:s3cret@p' };
    expect(issuesOf({ serviceCenter: { proxy: 'env' } }, { env })).toEqual([
      'serviceCenter.proxy must be an http URL of host and port, which may hold user and password, ' +
        'which HTTPS_PROXY does not',
    ]);
  });
});

describe('the proxy of the environment', () => {
  const env = { HTTP_PROXY: 'http://p:1', HTTPS_PROXY: 'http://p:2' };

  it('goes by the scheme of the address, lower case first', () => {
    expect(portTo('http://a', env)).toBe(1);
    expect(portTo('https://a', env)).toBe(2);
    expect(portTo('https://a', { ...env, https_proxy: 'http://p:3' })).toBe(3);
    expect(portTo('https://a', { HTTP_PROXY: 'http://p:1' })).toBeUndefined();
  });

  it('is an http one where no scheme is written', () => {
    expect(portTo('https://a', { HTTPS_PROXY: 'p.example:3128' })).toBe(3_128);
    const server = routes('env', { HTTPS_PROXY: 'me:s3cret@p.example' })?.https;
    expect(server).toMatchObject({ host: 'p.example', port: 80 });
    expect(server?.credentials?.()).toEqual({ username: 'me', password: 's3cret' });
  });

  it.each([
    ['*', 'https://a', true],
    ['a', 'https://a:30100', true],
    ['b, a', 'https://a', true],
    ['A', 'https://a', true],
    ['example.com', 'https://sc.example.com', true],
    ['.example.com', 'https://sc.example.com', true],
    ['*.example.com', 'https://sc.example.com', true],
    ['example.com', 'https://notexample.com', false],
    ['a:30100', 'https://a:30100', true],
    ['a:30101', 'https://a:30100', false],
    ['a:443', 'https://a', true],
    ['[::1]:443', 'https://[::1]', true],
    ['127.0.0.1', 'https://127.0.0.1:1', true],
    ['10.0.0.0/8', 'https://10.1.2.3:30100', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/8', 'https://ten.example', false],
    ['fd00::/8', 'https://[fd00::7]:30100', true],
    ['10.0.0.0/99, fd00::/99, x/8', 'https://10.0.0.0', false],
    ['.example.com:30100', 'https://sc.example.com:30100', true],
    ['::1', 'https://[::1]:30100', true],
    ['', 'https://a', false],
  ])('passes by what NO_PROXY=%j names: %s', (NO_PROXY, url, isDirect) => {
    expect(portTo(url, { ...env, NO_PROXY })).toBe(isDirect ? undefined : 2);
  });

  it('is passed by what no_proxy names, unless that is empty', () => {
    expect(portTo('https://a', { ...env, no_proxy: 'a', NO_PROXY: 'b' })).toBeUndefined();
    expect(portTo('https://a', { ...env, no_proxy: 'b', NO_PROXY: 'a' })).toBe(2);
    expect(portTo('https://a', { ...env, no_proxy: '', NO_PROXY: 'a' })).toBeUndefined();
  });
});
