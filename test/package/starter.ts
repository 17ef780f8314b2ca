import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { pack } from './packages.js';
import { filesOf, type Form, installCommand } from './quick-start.js';
import { switchRegistryOff, testExamples } from './test-examples.js';

/** An application that the Nest CLI made, with the library added to it as the README says. */
export interface Starter {
  readonly nest: 11 | 12;
  readonly form: Form;
}

const npmOptions = {
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_prefer_offline: 'true',
};

/** A starter on the disk. */
export class StarterFolder {
  private constructor(
    readonly starter: Starter,
    /** A folder with nothing but the starter, the packed library and the Nest CLI. */
    readonly parent: string,
    /** Where the application is. */
    readonly path: string,
    /** The packed library. */
    readonly tarball: string,
    /** The packed embedded Service Center. */
    readonly registry: string,
  ) {}

  /** Has the Nest CLI make a starter, and installs its dependencies. */
  static async make(starter: Starter): Promise<StarterFolder> {
    const { nest, form } = starter;
    const parent = await mkdtemp(join(tmpdir(), `nest-${nest}-`));
    const { path: tarball } = await pack('nestjs-servicecomb', parent);
    const { path: registry } = await pack('embedded-service-center', parent);
    const folder = new StarterFolder(starter, parent, join(parent, 'orders'), tarball, registry);
    await writeFile(join(parent, 'package.json'), '{ "private": true }');
    await folder.#run(parent, 'npm', 'install', `@nestjs/cli@${nest}`);
    await folder.#run(parent, ...commandThatMakes(nest, form));
    await folder.run('npm', 'install');
    return folder;
  }

  /** Does what `nest add` does once it has installed the package, which is not published yet. */
  async add(): Promise<void> {
    await this.run('npm', 'install', this.tarball, this.registry);
    await this.runSchematic();
  }

  /** Runs the schematic as the Nest CLI does, without the installation before it. */
  runSchematic(): Promise<string> {
    return this.run('npx', 'schematics', 'nestjs-servicecomb:nest-add', '--source-root=src');
  }

  /** Writes the examples of docs/testing.md beside the starter's own tests. */
  async addExamples(): Promise<void> {
    const { form } = this.starter;
    for (const [path, text] of Object.entries(testExamples(form)))
      await writeFile(join(this.path, path), text);
    await switchRegistryOff(this.path, form);
  }

  /** Runs a script that tests, and resolves with all that it printed, such as the handles that Jest found open. */
  runTests(script: string): Promise<string> {
    const flags = this.starter.form === 'CommonJS' ? ' -- --detectOpenHandles' : '';
    return this.run('sh', '-c', `npm run ${script}${flags} 2>&1`);
  }

  /** Does what the quick start says, word by word: its `npm install`, then its files. */
  async followQuickStart(): Promise<void> {
    const { nest, form } = this.starter;
    const words = installCommand(nest).map(word =>
      word === 'nestjs-servicecomb' ? this.tarball : word,
    );
    await this.run('npm', ...words.slice(1));
    for (const [path, text] of Object.entries(filesOf(form)))
      await writeFile(join(this.path, path), text);
  }

  /** Runs a command in the application and resolves with what it printed. */
  run(...command: readonly [string, ...string[]]): Promise<string> {
    return this.#run(this.path, ...command);
  }

  /** Returns how many packages are installed in the application. */
  async countPackages(): Promise<number> {
    const lock = await readFile(join(this.path, 'node_modules', '.package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as { readonly packages: object };
    return Object.keys(packages).length;
  }

  /** Removes it from the disk. */
  remove(): Promise<void> {
    return rm(this.parent, { recursive: true, force: true });
  }

  #run(cwd: string, ...command: readonly [string, ...string[]]): Promise<string> {
    return runCommand(command, { cwd, env: npmOptions });
  }
}

/** `nest new` asks for the form from Nest 12 on; this is the command that it runs with the answer. */
function commandThatMakes(nest: 11 | 12, form: Form): readonly [string, ...string[]] {
  if (nest === 12 && form === 'CommonJS') {
    const options = ['--name=orders', '--type=cjs', '--language=ts'];
    return ['npx', 'schematics', '@nestjs/schematics:application', ...options];
  }
  return ['npx', 'nest', 'new', 'orders', '--skip-git', '--skip-install', '--package-manager=npm'];
}
