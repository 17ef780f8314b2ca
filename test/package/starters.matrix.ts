import { builders } from './builders.js';
import { describeStarter } from './starter-tests.js';

const { swc, webpack, webpackOfNest12, rspack } = builders;

describeStarter(
  { nest: 11, form: 'CommonJS' },
  {
    builders: { swc, webpack },
    bundledBy: [
      'esbuild in CommonJS',
      'esbuild in CommonJS, minified',
      'esbuild in ES modules',
      'webpack',
      'rspack',
      'ncc',
    ],
  },
);
// Its quick start has a top-level await, which CommonJS has not; the CLI refuses webpack for ES modules.
describeStarter(
  { nest: 12, form: 'ES modules' },
  { builders: { swc, rspack }, bundledBy: ['esbuild in ES modules', 'webpack', 'rspack', 'ncc'] },
);
describeStarter(
  { nest: 12, form: 'CommonJS' },
  {
    builders: { swc, webpack: webpackOfNest12, rspack },
    bundledBy: ['esbuild in CommonJS', 'esbuild in ES modules', 'webpack', 'rspack', 'ncc'],
  },
);
