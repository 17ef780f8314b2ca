import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { faultKinds } from './schedule.js';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'main.js');
const seed = '53';

it('a minute of faults violates nothing', async () => {
  const args = ['--enable-source-maps', program, '--minutes', '1', '--seed', seed];
  const output = await run(process.execPath, args, { timeout: 110_000 }).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      throw new Error(String(Reflect.get(Object(error), 'stdout')), { cause: error });
    },
  );
  const figures = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
  expect(figures).toMatchObject({ violations: 0 });
  expect(figures.beats).toBeGreaterThan(60);
  expect(Object.keys(figures.faults).toSorted()).toEqual([...faultKinds].sort());
});
