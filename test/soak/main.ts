import { parseArgs } from 'node:util';
import { type ScenarioKind, scenarioKinds, ScenarioSoak } from './scenarios.js';
import { Soak } from './soak.js';

// npm run soak -- --minutes N --seed S --kinds faults,contradiction,…: prints each round, and the figures
// as its last line. `all` is all kinds; faults take half of the time if there are scenarios, too.

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kinds: { type: 'string', default: 'all' },
  },
});
const seed = Number(values.seed);
const given = values.kinds === 'all' ? ['faults', ...scenarioKinds] : values.kinds.split(',');
const kinds = scenarioKinds.filter(kind => given.includes(kind));
const hasFaults = given.includes('faults');
const minutes = Number(values.minutes) / (hasFaults && kinds.length > 0 ? 2 : 1);
if (!(minutes > 0) || !Number.isSafeInteger(seed))
  throw new RangeError('--minutes must be a number above 0, and --seed a whole number');
if (given.length !== kinds.length + (hasFaults ? 1 : 0))
  throw new RangeError(`--kinds must be all, or of faults, ${scenarioKinds.join(', ')}`);

const print = (line: string) => console.log(line);
print(`soak --minutes ${values.minutes} --seed ${seed} --kinds ${given.join(',')}`);
const isGood = [await faults(), await scenarios(kinds)].every(Boolean);
process.exitCode = isGood ? 0 : 1;

async function faults(): Promise<boolean> {
  if (!hasFaults) return true;
  const soak = new Soak({ minutes, seed, print });
  const isGood = await soak.run();
  print(JSON.stringify({ seed, minutes, ...soak.figures.toJSON(), most: soak.most }));
  return isGood;
}

async function scenarios(kinds: readonly ScenarioKind[]): Promise<boolean> {
  if (kinds.length === 0) return true;
  const soak = new ScenarioSoak({ minutes, seed, kinds, print });
  const isGood = await soak.run();
  print(JSON.stringify({ seed, minutes, ...soak.figures }));
  return isGood;
}
