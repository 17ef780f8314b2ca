import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { packagePath } from '../support/package-path.js';

/** Runs a bench shortly on the current build and returns its figures. */
async function run(name: string, ...options: string[]): Promise<readonly Row[]> {
  const parameters = [packagePath(`bench/${name}.js`), '--json', ...options];
  const { stdout } = await promisify(execFile)(process.execPath, parameters);
  return JSON.parse(stdout) as Row[];
}

type Row = Readonly<Record<string, number | string>>;

/** The bounds are generous: they find what is broken on any machine, and measure nothing. */
describe('the benches', () => {
  it('count heartbeats a second on 1 and on 20 connections', async () => {
    const rows = await run('heartbeats', '--rounds', '1', '--seconds', '0.5');
    expect(rows).toMatchObject([{ connections: 1 }, { connections: 20 }]);
    for (const row of rows) {
      expect(row['embedded /s']).toBeGreaterThan(500);
      expect(row['embedded : bare']).toBeGreaterThan(0.05);
    }
  });

  it('send the heartbeats of many instances on time', async () => {
    const size = ['--instances', '1000', '--connections', '50', '--interval-seconds', '2'];
    const rows = await run('crowd', ...size, '--seconds', '2');
    expect(rows).toMatchObject([{ server: 'bare' }, { server: 'embedded' }]);
    for (const row of rows) {
      expect(row['beats /s']).toBeGreaterThan(400);
      expect(row['p99 ms']).toBeLessThan(200);
      expect(row['RSS MB']).toBeLessThan(200);
    }
  });

  it('find that the end of a lease costs as much among many as among few', async () => {
    const rows = await run('expiry', '--rounds', '9', '--most', '10000');
    expect(rows).toMatchObject([{ instances: 100 }, { instances: 1000 }, { instances: 10_000 }]);
    for (const row of rows) expect(row['expiry : 100']).toBeLessThan(10);
  });

  it('find that a find without news costs as much among many as among few', async () => {
    const size = ['--sizes', '200,4000', '--finds', '300', '--lists', '5'];
    const rows = await run('finds', '--rounds', '3', ...size);
    expect(rows).toMatchObject([{ instances: 200 }, { instances: 4000 }]);
    for (const row of rows) expect(row['unchanged : 200']).toBeLessThan(3);
  });
});
