/** What each builder of the Nest CLI besides tsc needs, as the CLI says itself where it is missing. */
export const builders = {
  swc: ['@swc/cli', '@swc/core'],
  webpack: [],
  rspack: ['@rspack/core', 'webpack-node-externals', 'tsconfig-paths-webpack-plugin'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
