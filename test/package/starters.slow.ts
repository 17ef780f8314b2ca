import { builders } from './builders.js';
import { describeStarter } from './starter-tests.js';

const { swc, webpack } = builders;

describeStarter(
  { nest: 11, form: 'CommonJS' },
  {
    builders: { swc, webpack },
    bundledBy: ['esbuild in CommonJS', 'webpack', 'rspack', 'ncc', 'esbuild in ES modules'],
  },
);
describeStarter(
  { nest: 12, form: 'ES modules' },
  {
    builders: { swc, rspack: builders.rspack },
    bundledBy: ['esbuild in ES modules', 'esbuild in CommonJS', 'webpack', 'rspack', 'ncc'],
  },
);
