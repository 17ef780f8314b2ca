import { parseArgs } from 'node:util';
import { Soak } from './soak.js';

// npm run soak -- --minutes N --seed S: prints each round, and the figures as its last line.

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed))
  throw new RangeError('--minutes must be a number above 0, and --seed a whole number');

const soak = new Soak({ minutes, seed, print: line => console.log(line) });
console.log(`soak --minutes ${minutes} --seed ${seed}`);
const isGood = await soak.run();
console.log(JSON.stringify({ seed, minutes, ...soak.figures.toJSON(), most: soak.most }));
process.exitCode = isGood ? 0 : 1;
