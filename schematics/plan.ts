import { posix } from 'node:path';
import { neededModules, type RegistrySettings, withModules } from './app-module.js';
import { readMain } from './main-file.js';
import { peersOf, readManifest, withPeers } from './peers.js';
import { Obstacle, type Parser, SourceText } from './source-text.js';

/** The options of `nest add nestjs-servicecomb`, as the Nest CLI hands them over. */
export interface NestAddOptions {
  readonly address?: string;
  readonly serviceName?: string;
  readonly project?: string;
  readonly skipInstall?: boolean;
  readonly sourceRoot?: string;
  readonly p?: string;
  readonly s?: boolean;
}

/** The files of a project, by their path from its root. */
export interface ProjectFiles {
  /** Returns the text of a file; undefined where there is none. */
  read(path: string): string | undefined;
  /** Returns the paths of all files below a folder. */
  below(folder: string): readonly string[];
}

/** What `nest add` does. */
export interface Plan {
  /** The new text of each file that changes. */
  readonly changes: ReadonlyMap<string, string>;
  /** What the user should know. */
  readonly notes: readonly string[];
}

/**
 * Returns what is to be changed.
 *
 * @throws Obstacle when a file cannot be changed safely
 * @throws Error when an option is wrong, or the project is not one of Nest 11 or 12
 */
export function planOf(options: NestAddOptions, files: ProjectFiles, parser: Parser): Plan {
  const manifest = textOf(files, 'package.json');
  const peers = withPeers(manifest, peersOf(nestVersionOf(files)));
  const project = projectOf(options, files, parser);
  const settings = settingsOf(options, project.name ?? nameIn(manifest));
  const main = new SourceText(parser, project.main, textOf(files, project.main));
  const application = readMain(main);
  const path = pathOf(application.module.from, main.path, files);
  const module = new SourceText(parser, path, textOf(files, path));
  const elsewhere = importedElsewhere(files, project.sourceRoot, path);
  const needed = neededModules.filter(({ name }) => !elsewhere.has(name));
  const className = application.module.name;
  const texts = [
    ['package.json', manifest, peers.text],
    [path, module.text, withModules(module, { className, needed, settings })],
    [main.path, main.text, application.text],
  ] as const;
  return {
    changes: new Map(texts.flatMap(([path, old, text]) => (old === text ? [] : [[path, text]]))),
    notes: [
      ...peers.notes,
      ...[...elsewhere].map(([name, other]) => `${name} is not added, because ${other} imports it`),
    ],
  };
}

function textOf(files: ProjectFiles, path: string): string {
  const text = files.read(path);
  if (text === undefined) throw new Obstacle(`${path} does not exist`);
  return text;
}

/** The version that is installed; else the range in package.json, as for one that is installed further up. */
export function nestVersionOf(files: ProjectFiles): string | undefined {
  const installed = files.read('node_modules/@nestjs/common/package.json');
  const { version } = readManifest(installed ?? '{}');
  const { dependencies } = readManifest(textOf(files, 'package.json'));
  return version ?? dependencies?.['@nestjs/common'];
}

interface Project {
  /** Its name in a monorepo. */
  readonly name: string | undefined;
  readonly sourceRoot: string;
  readonly main: string;
}

interface NestCli {
  readonly entryFile?: string;
  readonly projects?: Readonly<Record<string, Omit<NestCli, 'projects'>>>;
  readonly sourceRoot?: string;
}

function projectOf(
  { project, p, sourceRoot = 'undefined' }: NestAddOptions,
  files: ProjectFiles,
  parser: Parser,
): Project {
  // The CLI takes comments in it.
  const text = files.read('nest-cli.json') ?? '{}';
  const cli: NestCli = parser.parseConfigFileTextToJson('', text).config ?? {};
  // The CLI hands over this word where nest-cli.json names no folder.
  const given = sourceRoot === 'undefined' ? 'src' : sourceRoot;
  const wanted = project ?? p;
  const [name, found] =
    Object.entries(cli.projects ?? {}).find(([name, { sourceRoot }]) =>
      wanted === undefined ? sourceRoot === given : name === wanted,
    ) ?? [];
  if (wanted !== undefined && found === undefined)
    throw new Error(`nest-cli.json has no project ${wanted}`);
  const folder = found?.sourceRoot ?? given;
  const entry = found?.entryFile ?? cli.entryFile ?? 'main';
  return { name, sourceRoot: folder, main: posix.join(folder, `${entry}.ts`) };
}

/** Returns the path of a module of the project, from what an import of it says. */
function pathOf(specifier: string, importer: string, files: ProjectFiles): string {
  const isRelative = specifier.startsWith('.');
  const resolved = isRelative ? posix.join(posix.dirname(importer), specifier) : specifier;
  const path = `${resolved.replace(/\.js$/, '')}.ts`;
  if (files.read(path) !== undefined) return path;
  throw new Obstacle(`${importer} imports the root module from ${specifier}, where no file is`);
}

/** Returns the modules that another file of the project imports, each with that file. */
function importedElsewhere(
  files: ProjectFiles,
  sourceRoot: string,
  rootModule: string,
): ReadonlyMap<string, string> {
  const others = files
    .below(sourceRoot)
    .filter(path => path.endsWith('.module.ts') && path !== rootModule);
  const found = new Map<string, string>();
  for (const path of others)
    for (const { name } of neededModules)
      if (files.read(path)?.includes(`${name}.forRoot`) === true) found.set(name, path);
  return found;
}

function settingsOf({ address, serviceName }: NestAddOptions, name?: string): RegistrySettings {
  const addresses = address?.split(',').map(each => each.trim()) ?? [];
  const wrong = addresses.find(each => !/^https?:\/\//.test(each) || !URL.canParse(each));
  if (wrong !== undefined)
    throw new Error(`--address must be URLs of http or https, separated by commas, got "${wrong}"`);
  const chosen = serviceName ?? name;
  if (chosen === undefined)
    throw new Error('package.json has no name: name the service with --service-name');
  return { serviceName: chosen, addresses };
}

/** The name in package.json without its scope, as the library itself would take it. */
function nameIn(manifest: string): string | undefined {
  return readManifest(manifest).name?.replace(/^@[^/]*\//, '');
}
