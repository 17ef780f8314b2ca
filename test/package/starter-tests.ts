import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { examined, startAndStop } from './application.js';
import { type BundlerName, bundlers, emptyFolder } from './bundlers.js';
import { type Starter, StarterFolder } from './starter.js';

/** npm installs what the starter, its builders and the quick start name. */
const installTimeoutMs = 300_000;

const ownTests = ['test', 'test:e2e'];

/** Jest loads the ES modules of Nest 12 into an application in CommonJS from Node 24.9 on. */
function canRunItsTests({ nest, form }: Starter): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return nest === 11 || form === 'ES modules' || major > 24 || (major === 24 && minor >= 9);
}

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
      await folder.add();
      await folder.addExamples();
    }, installTimeoutMs);

    afterAll(() => folder.remove());

    it('registers after nest add and leaves at Ctrl-C: nest build', async () => {
      await folder.run('npm', 'run', 'build');
      const seen = await startAndStop(['dist/main'], { cwd: folder.path, signal: 'SIGINT' });
      expect(seen).toEqual({ running: ['UP'], left: 0, ended: 'SIGINT' });
    });

    it('is left as it is by a second nest add, and was formatted well by the first', async () => {
      const second = await folder.run('npx', 'nest', 'add', 'nestjs-servicecomb', '--skip-install');
      expect(second).toMatch(/Nothing is missing\.[^]*Nothing to be done\./);
      await folder.run('npx', 'prettier', '--check', 'package.json', 'src');
    });

    it('is examined by the command of the library, which finds nothing to change', async () => {
      expect(await examined(folder)).toMatch(/^Nothing has to change/m);
    });

    if (canRunItsTests(starter))
      it.each(ownTests)(
        'passes its own tests and those of docs/testing.md, and keeps no handle open: npm run %s',
        async script => {
          expect(await folder.runTests(script)).not.toContain('open handle');
        },
      );
    else
      it.each(ownTests)(
        'cannot run its own tests, because Jest cannot load Nest: npm run %s',
        async script => {
          const reason = /Must use import to load ES Module: .*@nestjs/;
          await expect(folder.run('npm', 'run', script)).rejects.toThrow(reason);
        },
      );

    describe('that followed the quick start', () => {
      beforeAll(() => folder.followQuickStart(), installTimeoutMs);

      it('gets one package by installing the library beside its peers', async () => {
        await folder.run('npm', 'uninstall', 'nestjs-servicecomb');
        const before = await folder.countPackages();
        await folder.run('npm', 'install', folder.tarball);
        expect((await folder.countPackages()) - before).toBe(1);
      });

      it.each(Object.entries(builders))(
        'registers and leaves: nest build --builder %s',
        async (builder, packages) => {
          if (packages.length > 0) await folder.run('npm', 'install', '--save-dev', ...packages);
          await folder.run('npx', 'nest', 'build', '--builder', builder);
          expect(await startAndStop(['dist/main'], { cwd: folder.path })).toEqual(
            registeredAndLeft,
          );
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
  });
}
