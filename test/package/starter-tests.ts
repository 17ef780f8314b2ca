import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAndStop } from './application.js';
import { type BundlerName, bundlers, emptyFolder } from './bundlers.js';
import { type Starter, StarterFolder } from './starter.js';

/** npm installs what the starter, its builders and the quick start name. */
const installTimeoutMs = 300_000;

const registeredAndLeft = { running: ['UP'], left: 0, ended: 'SIGTERM' };

export interface StarterTests {
  /** Builders of the Nest CLI besides tsc, each with the packages that it needs. */
  readonly builders: Readonly<Record<string, readonly string[]>>;
  readonly bundledBy: readonly BundlerName[];
}

/** The tests of one starter: what a user does on the first day. */
export function describeStarter(starter: Starter, { builders, bundledBy }: StarterTests): void {
  describe(`the starter of Nest ${starter.nest} in ${starter.form}`, () => {
    let folder: StarterFolder;

    beforeAll(async () => {
      folder = await StarterFolder.make(starter);
      await folder.followQuickStart();
    }, installTimeoutMs);

    afterAll(() => folder.remove());

    it('gets one package by installing the library beside its peers', async () => {
      await folder.run('npm', 'uninstall', 'nestjs-servicecomb');
      const before = await folder.countPackages();
      await folder.run('npm', 'install', folder.tarball);
      expect((await folder.countPackages()) - before).toBe(1);
    });

    it('passes its own unit tests', async () => {
      await folder.run('npm', 'test');
    });

    it('passes its own end-to-end tests', async () => {
      await folder.run('npm', 'run', 'test:e2e');
    });

    it('registers and leaves: nest build', async () => {
      await folder.run('npm', 'run', 'build');
      expect(await startAndStop(['dist/main'], { cwd: folder.path })).toEqual(registeredAndLeft);
    });

    it.each(Object.entries(builders))(
      'registers and leaves: nest build --builder %s',
      async (builder, packages) => {
        if (packages.length > 0) await folder.run('npm', 'install', '--save-dev', ...packages);
        await folder.run('npx', 'nest', 'build', '--builder', builder);
        expect(await startAndStop(['dist/main'], { cwd: folder.path })).toEqual(registeredAndLeft);
      },
      installTimeoutMs,
    );

    it.each(bundledBy)(
      'registers and leaves: a bundle of %s',
      async name => {
        const { packages, bundle } = bundlers[name];
        await folder.run('npm', 'run', 'build');
        await folder.run('npm', 'install', '--save-dev', ...packages);
        const output = await emptyFolder(folder, name);
        const file = await bundle(folder, output);
        expect(await startAndStop([file], { cwd: output })).toEqual(registeredAndLeft);
      },
      installTimeoutMs,
    );
  });
}
