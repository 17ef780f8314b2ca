/** What the builders of the Nest CLI besides tsc need, as the CLI says itself where it is missing. */
export const builders = {
  swc: ['@swc/cli', '@swc/core'],
  /** For Nest 11, whose CLI brings webpack along; for Nest 12 see `webpackOfNest12`. */
  webpack: [],
  webpackOfNest12: [
    'webpack',
    'webpack-node-externals',
    'tsconfig-paths-webpack-plugin',
    'ts-loader',
    'fork-ts-checker-webpack-plugin',
  ],
  rspack: ['@rspack/core', 'webpack-node-externals', 'tsconfig-paths-webpack-plugin'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
