import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import { concurrently } from '../support/concurrently.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Runs a bench shortly on the current build and returns its figures. */
async function run<Figures>(name: string, ...options: string[]): Promise<Figures> {
  const parameters = [`${root}bench/${name}.js`, '--json', ...options];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: root });
  return JSON.parse(stdout) as Figures;
}

type Row = Readonly<Record<string, number | string>>;

// The bounds are generous: they find what is broken on any machine, and measure nothing.

concurrently('bench:call compares calls by name and by URL', async () => {
  const rows = await run<readonly Row[]>('call', '--rounds', '3', '--calls', '300');
  const byName = rows.filter(({ name }) => name === 'by name');
  expect(byName).toHaveLength(2);
  for (const row of byName) expect(row['CPU, by URL = 1']).toBeLessThan(3);
});

concurrently('bench:pick picks through the core and by Discovery', async () => {
  const short = ['--rounds', '3', '--picks', '100000', '--calls', '1000'];
  const { picked } = await run<{ readonly picked: readonly Row[] }>('pick', ...short);
  const rateOf = (name: string) => picked.find(row => row['name'] === name)?.['millionsPerSecond'];
  expect(rateOf('core.pickKnown, one provider')).toBeGreaterThan(0.5);
  expect(rateOf('await discovery.pick, one provider')).toBeGreaterThan(0.1);
});

concurrently('bench:providers polls many providers in few requests', async () => {
  const rows = await run<readonly Row[]>('providers', '--rounds', '2', '--sizes', '50x20,500x20');
  expect(rows).toMatchObject([{ 'requests a poll': 1 }, { 'requests a poll': 10 }]);
  expect(rows[1]?.['KB received']).toBeLessThan(10);
  expect(rows[1]?.['heap : JSON']).toBeLessThan(2);
});

concurrently('bench:watch sees each change', async () => {
  const short = ['--changes', '20', '--idle-slices', '0'];
  const { latency } = await run<{ readonly latency: Row }>('watch', ...short);
  expect(latency['changes']).toBe(20);
  expect(latency['median ms']).toBeLessThan(500);
});
