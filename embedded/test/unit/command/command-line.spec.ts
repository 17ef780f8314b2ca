import { describe, expect, it } from '@jest/globals';
import { readCommandLine, usage } from '../../../lib/command/command-line.js';

describe('a command line', () => {
  it('listens on this machine only by default', () => {
    expect(readCommandLine([])).toEqual({
      kind: 'serve',
      settings: {
        port: 30_100,
        host: '127.0.0.1',
        profile: 'open-source',
        rbac: false,
        tls: undefined,
        seed: undefined,
        data: undefined,
      },
    });
  });

  it('says how', () => {
    const args = '--port=0 --host ::1 --profile cse-legacy --seed a.json --data b.json --rbac';
    const tls = '--tls --tls-cert cert.pem --tls-key key.pem --tls-ca ca.pem';
    expect(readCommandLine(`${args} ${tls}`.split(' '))).toEqual({
      kind: 'serve',
      settings: {
        port: 0,
        host: '::1',
        profile: 'cse-legacy',
        rbac: true,
        tls: { cert: 'cert.pem', key: 'key.pem', ca: 'ca.pem' },
        seed: 'a.json',
        data: 'b.json',
      },
    });
  });

  it.each([
    ['--help', 'help'],
    ['-h', 'help'],
    ['--version', 'version'],
    ['-v', 'version'],
  ])('asks with %s for the %s', (flag, kind) => {
    expect(readCommandLine([flag])).toEqual({ kind });
  });

  it.each([
    [['--colour'], "Unknown option '--colour'"],
    [['start'], "Unexpected argument 'start'"],
    [['--port'], "Option '--port <value>' argument missing"],
    [['--port', '-1'], "Option '--port' argument is ambiguous"],
    [['--port', 'http'], '--port must be a whole number from 0 to 65535, got "http"'],
    [['--port', '65536'], '--port must be a whole number from 0 to 65535, got "65536"'],
    [['--port', '1.5'], '--port must be a whole number from 0 to 65535, got "1.5"'],
    [
      ['--profile', 'toString'],
      '--profile must be one of open-source, cse-exclusive, cse-professional, cse-legacy, got "toString"',
    ],
    [['--host', ''], '--host must not be empty'],
    [['--data', ' '], '--data must not be empty'],
    [['--tls', '--tls-key', 'k'], '--tls needs --tls-cert'],
    [['--tls', '--tls-cert', 'c'], '--tls needs --tls-key'],
    [['--tls-ca', 'c'], '--tls-ca needs --tls'],
    [['--tls', '--tls-cert', 'c', '--tls-key', ''], '--tls-key must not be empty'],
  ])('is refused with what is wrong with %j', (args, issue) => {
    expect(readCommandLine(args)).toEqual({ kind: 'wrong', issues: [issue] });
  });

  it('is refused with every issue at once', () => {
    expect(readCommandLine(['--port', 'x', '--profile', 'y', '--seed', ''])).toMatchObject({
      issues: [
        expect.stringContaining('--port'),
        expect.stringContaining('--profile'),
        expect.stringContaining('--seed'),
      ],
    });
  });
});

describe('the usage', () => {
  it('fits a terminal and names each flag', () => {
    for (const line of usage.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    for (const flag of [
      'port',
      'host',
      'profile',
      'rbac',
      'tls',
      'oddities',
      'seed',
      'data',
      'help',
      'version',
    ])
      expect(usage).toContain(`--${flag} `.trimEnd());
  });
});
