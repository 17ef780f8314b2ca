import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { peersOf } from './peers.js';

const directory = mkdtempSync(join(tmpdir(), 'nest-11-'));
afterAll(() => rmSync(directory, { recursive: true }));

const quiet = { cwd: directory, encoding: 'utf8' } as const;
beforeAll(() => {
  writeFileSync(join(directory, 'package.json'), '{"name":"consumer","version":"1.2.3"}');
  copyFileSync(resolve('test/package/nest-11/app.cjs'), join(directory, 'app.cjs'));
  const pack = ['pack', '--silent', '--ignore-scripts', process.cwd(), resolve('embedded')];
  const tarballs = execFileSync('npm', pack, quiet).trim().split('\n');
  const flags = ['--no-audit', '--no-fund', '--no-save', '--prefer-offline'];
  const files = tarballs.map(name => `./${name}`);
  execFileSync(
    'npm',
    ['install', ...flags, ...files, ...peersOf(11), '@opentelemetry/api@1'],
    quiet,
  );
}, 300_000);

describe('the packed library in a CommonJS application on Nest 11', () => {
  it('registers, beats, tells its health to terminus 11, is called by name, sees changes, and leaves', () => {
    const output = execFileSync(process.execPath, ['app.cjs'], quiet);
    expect(JSON.parse(output)).toEqual({
      up: { http: 200, status: 'up' },
      discovered: { byName: 'ok', byClient: 'ok', added: ['another'] },
      byHand: [
        { http: 200, now: 'OUTOFSERVICE' },
        {
          http: 400,
          now: 'status must be one of UP, DOWN, STARTING, TESTING, OUTOFSERVICE, got "GONE"',
        },
      ],
      degraded: { http: 200, status: 'up', degraded: true },
      down: { http: 503, status: 'down' },
      events: [
        'servicecomb.service.registered',
        'servicecomb.instance.registered',
        'servicecomb.heartbeat.succeeded',
        'servicecomb.discovery.changed',
        'servicecomb.watch.opened',
        'servicecomb.status.changed',
        'servicecomb.heartbeat.failed',
        'servicecomb.instance.unregistered',
      ],
      listed: 0,
    });
  });
});
