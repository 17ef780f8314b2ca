import { join, parse, resolve as absolute } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import {
  nearestManifest,
  packageStarts,
  readHostFacts,
  workspaceAt,
} from '../../../lib/options/host-facts.js';

const root = parse(absolute('.')).root;
const app = join(root, 'srv', 'app');

function files(texts: Readonly<Record<string, string>>): (path: string) => string | undefined {
  return path => texts[path];
}

describe('packageStarts', () => {
  it.each([
    ['the main script', join(app, 'dist', 'main.js'), [join(app, 'dist'), root]],
    ['a relative main script', join('dist', 'main.js'), [join(root, 'dist'), root]],
    ['no tool in node_modules', join(app, 'node_modules', '.bin', 'jest'), [root]],
    ['nothing but the working directory', undefined, [root]],
  ])('are those of %s', (_, mainScript, starts) => {
    expect(packageStarts(mainScript, root)).toEqual(starts);
  });
});

describe('nearestManifest', () => {
  const orders = '{"name":"@acme/orders","version":"1.2.3"}';
  const found = { name: '@acme/orders', version: '1.2.3' };

  it.each([
    ['beside the script', { [join(app, 'dist', 'package.json')]: orders }],
    ['above the script', { [join(app, 'package.json')]: orders }],
    ['in the root', { [join(root, 'package.json')]: orders }],
    ['above the working directory', { [join(root, 'work', 'package.json')]: orders }],
    [
      'behind one without a name',
      {
        [join(app, 'dist', 'package.json')]: '{"type":"module"}',
        [join(app, 'package.json')]: orders,
      },
    ],
    [
      'behind a broken one',
      { [join(app, 'dist', 'package.json')]: '{"name":', [join(app, 'package.json')]: orders },
    ],
    [
      'behind null',
      { [join(app, 'dist', 'package.json')]: 'null', [join(app, 'package.json')]: orders },
    ],
    [
      'before one further away',
      { [join(app, 'package.json')]: orders, [join(root, 'package.json')]: '{"name":"far"}' },
    ],
  ])('is found %s', (_, texts) => {
    const starts = [join(app, 'dist'), join(root, 'work', 'here')];
    expect(nearestManifest(starts, '.', files(texts))).toMatchObject(found);
  });

  it('is nowhere when there is none', () => {
    const nowhere = { name: undefined, version: undefined, directory: undefined };
    expect(nearestManifest([app], '.', files({}))).toEqual(nowhere);
  });

  it.each(['{"name":"orders"}', '{"name":"orders","version":7}', '{"name":"orders","version":""}'])(
    'has no version in %s',
    text => {
      const texts = { [join(app, 'package.json')]: text };
      expect(nearestManifest([app], '.', files(texts))).toEqual({
        name: 'orders',
        version: undefined,
        directory: app,
      });
    },
  );
});

describe('workspaceAt', () => {
  it.each([
    ['package.json', '{"workspaces":["apps/*"]}', '"workspaces" in package.json'],
    ['nx.json', '{}', 'nx.json'],
    ['nest-cli.json', '{"monorepo":true}', '"monorepo" in nest-cli.json'],
    ['pnpm-workspace.yaml', 'packages:\n  - apps/*\n', '"packages" in pnpm-workspace.yaml'],
  ])('knows the root of a workspace by %s with %j', (file, text, sign) => {
    expect(workspaceAt(app, files({ [join(app, file)]: text }))).toEqual({ directory: app, sign });
  });

  it.each([
    ['package.json', '{"name":"orders"}'],
    ['nest-cli.json', '{"monorepo":false}'],
    ['nest-cli.json', '{"monorepo":'],
    ['pnpm-workspace.yaml', 'onlyBuiltDependencies:\n  - esbuild\n'],
  ])('takes no application for one: %s with %j', (file, text) => {
    expect(workspaceAt(app, files({ [join(app, file)]: text }))).toBeUndefined();
  });

  it('does not look above the package.json that is used', () => {
    expect(workspaceAt(app, files({ [join(root, 'nx.json')]: '{}' }))).toBeUndefined();
  });
});

describe('nearestManifest in node_modules', () => {
  const manifest = (...directory: readonly string[]) =>
    join(...directory, 'node_modules', '@nestjs', 'core', 'package.json');
  const nest = (version: string) => JSON.stringify({ name: '@nestjs/core', version });
  const main = join(app, 'dist');
  const elsewhere = join(root, 'work');
  const versionIn = (texts: Readonly<Record<string, string>>) =>
    nearestManifest([main, elsewhere], 'node_modules/@nestjs/core', files(texts)).version;

  it.each([
    ['beside the main script', { [manifest(main)]: nest('12.5.1') }],
    ['above the main script', { [manifest(app)]: nest('12.5.1') }],
    ['at the top of a monorepo', { [manifest(root, 'srv')]: nest('12.5.1') }],
    ['in the working directory', { [manifest(elsewhere)]: nest('12.5.1') }],
    ['near, before far', { [manifest(app)]: nest('12.5.1'), [manifest(root)]: nest('11.0.0') }],
    ['behind a broken one', { [manifest(main)]: '{', [manifest(app)]: nest('12.5.1') }],
  ])('is found %s', (_, texts) => {
    expect(versionIn(texts)).toBe('12.5.1');
  });

  it('is not found where nothing is installed, as next to a bundle', () => {
    expect(versionIn({ [join(app, 'package.json')]: nest('12.5.1') })).toBeUndefined();
  });
});

describe('readHostFacts', () => {
  it('reads this process and this host', () => {
    const facts = readHostFacts();
    expect(facts.packageName).toBe('nestjs-servicecomb');
    expect(facts.packageVersion).toMatch(/^\d+\.\d+\.\d+/);
    expect(facts.workspace?.sign).toBe('"workspaces" in package.json');
    expect(facts.frameworkVersion).toMatch(/^\d+\.\d+\.\d+/);
    expect(facts.hostName).not.toBe('');
  });

  it('reads the variables of this library and no other', () => {
    expect(Object.keys(readHostFacts().env)).toEqual([
      'SERVICE_CENTER_ADDRESS',
      'PAAS_CSE_SC_ENDPOINT',
      'SERVICECOMB_ENABLED',
      'SERVICECOMB_SERVICE_NAME',
      'SERVICECOMB_VERSION',
      'SERVICECOMB_APP_ID',
      'SERVICECOMB_SERVICE_PROPS',
      'SERVICECOMB_INSTANCE_PROPS',
      'CAS_APPLICATION_ID',
      'CAS_COMPONENT_NAME',
      'CAS_INSTANCE_VERSION',
      'CAS_INSTANCE_ID',
      'CAS_ENVIRONMENT_ID',
    ]);
  });

  it('finds the package of a main script in a folder without one', () => {
    const [, mainScript = ''] = process.argv;
    process.argv[1] = absolute('no', 'such', 'folder', 'main.js');
    try {
      expect(readHostFacts().packageName).toBe('nestjs-servicecomb');
    } finally {
      process.argv[1] = mainScript;
    }
  });

  it('gives each application an id of its own', () => {
    expect(readHostFacts().randomId).not.toBe(readHostFacts().randomId);
  });
});
