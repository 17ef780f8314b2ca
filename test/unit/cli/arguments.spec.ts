import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { flagFor, readCommandLine, usage } from '../../../lib/cli/arguments.js';

function issuesOf(args: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  const line = readCommandLine(args.split(' '), env);
  return line.kind === 'wrong' ? line.issues : [];
}

/** The credentials of a command line, and where its secret comes from. */
function credentialsOf(args: string, env: Readonly<Record<string, string>> = {}) {
  const line = readCommandLine(args.split(' '), env);
  if (line.kind !== 'ls') throw new Error(JSON.stringify(line));
  const { options, secretFrom } = line.settings;
  return { auth: options.serviceCenter?.auth, secretFrom };
}

describe('the command line', () => {
  it.each(['--password=x', '--password x', '--token=x', '--secret-key x', '--passphrase x'])(
    'takes no secret: %s',
    flag => {
      const [issue = '', ...others] = issuesOf(`doctor ${flag}`);
      expect(issue).toMatch(/^--[\w-]+ is refused, because others can read arguments: use \S+/);
      expect(issue).not.toContain('x instead');
      expect(others).toEqual([]);
    },
  );

  it.each([
    ['password', 'SERVICE_CENTER_PASSWORD or --password-file'],
    ['token', 'SERVICE_CENTER_TOKEN or --token-file'],
    ['secret-key', 'SERVICE_CENTER_SECRET_KEY'],
    ['passphrase', '--passphrase-file'],
  ])('says where the secret belongs: --%s', (flag, instead) => {
    expect(issuesOf(`ls --${flag}=x`)[0]).toContain(`use ${instead} instead`);
  });

  it.each([
    ['', 'there is no command "": doctor or ls'],
    ['lst', 'there is no command "lst": doctor or ls'],
    ['doctor --watch', "Unknown option '--watch'"],
    ['ls --port 3000', "Unknown option '--port'"],
    ['ls one two', 'only one service can be named, got also "two"'],
    ['doctor --port web', '--port must be a whole number from 1 to 65535, got "web"'],
    ['doctor --port 70000', '--port must be a whole number from 1 to 65535, got "70000"'],
    ['ls --timeout soon', '--timeout must be a number of milliseconds, got "soon"'],
    [
      'ls --profile cse',
      '--profile must be one of open-source, cse-exclusive, cse-professional, cse-legacy, got "cse"',
    ],
    ['ls --username root', 'a user needs a password: SERVICE_CENTER_PASSWORD or --password-file'],
    ['ls --password-file f', 'a password needs a user: --username or SERVICE_CENTER_USERNAME'],
  ])('is refused: %s', (args, issue) => {
    expect(issuesOf(args)).toEqual([issue]);
  });

  it('is refused without a command', () => {
    expect(readCommandLine([], {})).toMatchObject({ kind: 'wrong' });
  });

  it.each([
    ['--help', 'help'],
    ['doctor -h', 'help'],
    ['--version', 'version'],
  ])('asks for %s', (args, kind) => {
    expect(readCommandLine(args.split(' '), {})).toEqual({ kind });
  });

  it.each([
    [{ PORT: '8080' }, 'doctor', { port: 8_080, portFrom: 'PORT' }],
    [{ PORT: '8080' }, 'doctor --port 80', { port: 80, portFrom: '--port' }],
    [{}, 'doctor', { port: 3_000, portFrom: undefined }],
  ])('has a port of the application: %j %s', (env, args, settings) => {
    expect(readCommandLine(args.split(' '), env)).toMatchObject({ settings });
  });

  it.each([
    [
      { SERVICE_CENTER_USERNAME: 'orders', SERVICE_CENTER_PASSWORD: 'p' },
      'ls',
      { auth: { username: 'orders', password: 'p' }, secretFrom: 'SERVICE_CENTER_PASSWORD' },
    ],
    [
      { SERVICE_CENTER_USERNAME: 'orders', SERVICE_CENTER_PASSWORD_FILE: 'f' },
      'ls',
      {
        auth: { username: 'orders', passwordFile: 'f' },
        secretFrom: 'SERVICE_CENTER_PASSWORD_FILE',
      },
    ],
    [
      { SERVICE_CENTER_USERNAME: 'orders', SERVICE_CENTER_PASSWORD: 'p' },
      'ls --username root --password-file f',
      { auth: { username: 'root', passwordFile: 'f' }, secretFrom: '--password-file' },
    ],
    [
      { SERVICE_CENTER_TOKEN: 't' },
      'ls',
      { auth: { token: 't' }, secretFrom: 'SERVICE_CENTER_TOKEN' },
    ],
    [
      { SERVICE_CENTER_ACCESS_KEY: 'a', SERVICE_CENTER_SECRET_KEY: 's' },
      'ls',
      { auth: { accessKey: 'a', secretKey: 's' }, secretFrom: 'SERVICE_CENTER_SECRET_KEY' },
    ],
    [{ SERVICE_CENTER_PASSWORD: '' }, 'ls', { auth: undefined, secretFrom: undefined }],
  ])('has credentials: %j %s', (env, args, expected) => {
    expect(credentialsOf(args, env as Readonly<Record<string, string>>)).toEqual(expected);
  });

  it('gives an option of the module by the name of its flag', () => {
    expect(flagFor('serviceCenter.addresses[1]')).toBe('--address');
    expect(flagFor('microservice.serviceName')).toBe('microservice.serviceName');
  });

  it('has a page that lists its flags and variables, and no other', () => {
    const page = readFileSync('docs/command-line.md', 'utf8');
    const rows = [...page.matchAll(/^\| (`(?:--|SERVICE_).*?) \|/gm)].map(([, row = '']) => row);
    const inPage = rows.join().match(/(--|SERVICE_)[\w-]+/g) ?? [];
    const secrets = ['SERVICE_CENTER_PASSWORD', 'SERVICE_CENTER_TOKEN'];
    const keys = ['SERVICE_CENTER_ACCESS_KEY', 'SERVICE_CENTER_SECRET_KEY'];
    expect(inPage.toSorted()).toEqual(
      [...new Set(usage.match(/--[a-z][\w-]+/g)), ...secrets, ...keys].toSorted(),
    );
  });

  it('has a usage that fits on a page', () => {
    expect(usage.split('\n').length).toBeLessThan(60);
    expect(Math.max(...usage.split('\n').map(line => line.length))).toBeLessThanOrEqual(108);
  });
});
