import { builders } from './builders.js';
import { describeStarter } from './starter-tests.js';

// What takes longer is in starters.matrix.ts.
const { swc, webpack } = builders;

describeStarter(
  { nest: 11, form: 'CommonJS' },
  { builders: { swc, webpack }, bundledBy: ['esbuild in CommonJS'] },
);
describeStarter(
  { nest: 12, form: 'ES modules' },
  { builders: { swc }, bundledBy: ['esbuild in ES modules'] },
);
