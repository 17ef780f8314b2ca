import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';

/** Variables that ServiceStage sets for each process. */
export const serviceStageVariables = [
  'CAS_APPLICATION_ID',
  'CAS_COMPONENT_NAME',
  'CAS_INSTANCE_VERSION',
  'CAS_INSTANCE_ID',
  'CAS_ENVIRONMENT_ID',
] as const;

const environmentVariables = [
  'SERVICE_CENTER_ADDRESS',
  'PAAS_CSE_SC_ENDPOINT',
  'SERVICECOMB_ENABLED',
  'SERVICECOMB_SERVICE_NAME',
  'SERVICECOMB_VERSION',
  'SERVICECOMB_APP_ID',
  'SERVICECOMB_SERVICE_PROPS',
  'SERVICECOMB_INSTANCE_PROPS',
  ...serviceStageVariables,
] as const;

/** An environment variable that this library reads. It reads no others. */
export type EnvironmentVariable = (typeof environmentVariables)[number];

/** The root of a workspace: a monorepo of several packages or applications. */
export interface Workspace {
  readonly directory: string;
  /** The file in it that shows it, and the entry if the file alone does not. */
  readonly sign: string;
}

/** Facts about the process and its host: the input of `resolveOptions` besides the options. */
export interface HostFacts {
  /** Name and version in the application's package.json. */
  readonly packageName: string | undefined;
  readonly packageVersion: string | undefined;
  /** Set when that package.json belongs to the root of a workspace, which all its applications share. */
  readonly workspace: Workspace | undefined;
  readonly env: Readonly<Partial<Record<EnvironmentVariable, string | undefined>>>;
  /** Version of @nestjs/core; undefined when it is not found, as next to a bundle without node_modules. */
  readonly frameworkVersion: string | undefined;
  readonly hostName: string;
  /** A new UUID each time, so that two applications in one process differ. */
  readonly randomId: string;
  /** Returns the text of a file, or throws Node's error. */
  readonly readFile: (path: string) => string;
}

/**
 * Reads the facts. Called once per application; besides `host-addresses.ts`, no other file asks the process
 * or its host.
 */
export function readHostFacts(): HostFacts {
  const starts = packageStarts(process.argv[1], process.cwd());
  const { name, version, directory } = nearestManifest(starts, '.', readText);
  return {
    packageName: name,
    packageVersion: version,
    workspace: directory === undefined ? undefined : workspaceAt(directory, readText),
    env: Object.fromEntries(environmentVariables.map(name => [name, process.env[name]])),
    frameworkVersion: nearestManifest(starts, 'node_modules/@nestjs/core', readText).version,
    hostName: hostname(),
    randomId: randomUUID(),
    readFile: path => readFileSync(path, 'utf8'),
  };
}

/**
 * Returns the directories from which to search for the application: that of the main script, unless it
 * is a tool in node_modules that runs the application, then the working directory.
 */
export function packageStarts(
  mainScript: string | undefined,
  workingDirectory: string,
): readonly string[] {
  if (mainScript === undefined) return [workingDirectory];
  const directory = dirname(resolve(workingDirectory, mainScript));
  const isTool = directory.split(sep).includes('node_modules');
  return isTool ? [workingDirectory] : [directory, workingDirectory];
}

/** Name and version in a package.json, where it has them. */
export interface Manifest {
  readonly name: string | undefined;
  readonly version: string | undefined;
  /** Undefined when there is none with a name. */
  readonly directory: string | undefined;
}

/**
 * Finds the package.json in `folder` of a start or of a directory above it. One without a name, such as
 * `{"type":"module"}` in a build folder, does not count.
 *
 * This is how the version of an installed package is found, also in a monorepo. It does not ask `require`
 * or `import.meta`, because bundlers rewrite both.
 * @param read returns the text of a file, or undefined when there is none
 */
export function nearestManifest(
  starts: readonly string[],
  folder: string,
  read: (path: string) => string | undefined,
): Manifest {
  for (const directory of starts.flatMap(withParents)) {
    const { name, version } = jsonObject(read(join(directory, folder, 'package.json')));
    if (textOrNone(name) !== undefined)
      return { name: textOrNone(name), version: textOrNone(version), directory };
  }
  return { name: undefined, version: undefined, directory: undefined };
}

/**
 * Returns the workspace whose root a directory is: of npm, yarn, pnpm, Nx, or the Nest CLI. Its package.json is
 * that of no application in it.
 */
export function workspaceAt(
  directory: string,
  read: (path: string) => string | undefined,
): Workspace | undefined {
  const textOf = (file: string) => read(join(directory, file));
  const signs = [
    [jsonObject(textOf('package.json')).workspaces !== undefined, '"workspaces" in package.json'],
    [textOf('nx.json') !== undefined, 'nx.json'],
    [jsonObject(textOf('nest-cli.json')).monorepo === true, '"monorepo" in nest-cli.json'],
    [/^packages:/m.test(textOf('pnpm-workspace.yaml') ?? ''), '"packages" in pnpm-workspace.yaml'],
  ] as const;
  const [, sign] = signs.find(([isThere]) => isThere) ?? [];
  return sign === undefined ? undefined : { directory, sign };
}

function withParents(directory: string): readonly string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...withParents(parent)];
}

function jsonObject(text: string | undefined): {
  readonly [Key in 'name' | 'version' | 'workspaces' | 'monorepo']?: unknown;
} {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
