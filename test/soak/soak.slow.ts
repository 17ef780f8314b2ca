import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { faultKinds } from './schedule.js';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'main.js');
const seed = '53';

/** Runs the soak and returns its figures. */
async function figuresOf(kinds: string, minutes: string) {
  const args = ['--minutes', minutes, '--seed', seed, '--kinds', kinds];
  const output = await run(process.execPath, ['--enable-source-maps', program, ...args], {
    timeout: 115_000,
  }).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      throw new Error(String(Reflect.get(Object(error), 'stdout')), { cause: error });
    },
  );
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
}

it('a minute of faults violates nothing', async () => {
  const figures = await figuresOf('faults', '1');
  expect(figures).toMatchObject({ violations: 0 });
  expect(figures.beats).toBeGreaterThan(60);
  expect(Object.keys(figures.faults).toSorted()).toEqual([...faultKinds].sort());
});

it.each(['contradiction,gateway,keys', 'shared-id,calls,standstill', 'operator'])(
  'a minute of %s violates nothing, and each is played',
  async kinds => {
    const figures = await figuresOf(kinds, '1');
    expect(figures).toMatchObject({ violations: 0 });
    expect(Object.keys(figures.scenarios).toSorted()).toEqual(kinds.split(',').toSorted());
  },
);
