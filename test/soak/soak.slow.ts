import { expect } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inTurn } from '../support/concurrently.js';
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

// Two minutes at a time: most of each is waiting.
const inFirst = inTurn(300_000);
const inSecond = inTurn(300_000);

inFirst('a minute of faults violates nothing', async () => {
  const figures = await figuresOf('faults', '1');
  expect(figures).toMatchObject({ violations: 0 });
  expect(figures.beats).toBeGreaterThan(60);
  expect(Object.keys(figures.faults).toSorted()).toEqual([...faultKinds].sort());
});

for (const [inOne, kinds] of [
  [inFirst, 'operator'],
  [inSecond, 'contradiction,gateway,keys'],
  [inSecond, 'shared-id,calls,standstill'],
] as const)
  inOne(`a minute of ${kinds} violates nothing, and each is played`, async () => {
    const figures = await figuresOf(kinds, '1');
    expect(figures).toMatchObject({ violations: 0 });
    expect(Object.keys(figures.scenarios).toSorted()).toEqual(kinds.split(',').toSorted());
  });
