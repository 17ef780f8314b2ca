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
  'SERVICECOMB_SERVICE_PROPS',
  'SERVICECOMB_INSTANCE_PROPS',
  ...serviceStageVariables,
] as const;

/** An environment variable that this library reads. It reads no others. */
export type EnvironmentVariable = (typeof environmentVariables)[number];

/** Facts about the process and its host: the input of `resolveOptions` besides the options. */
export interface HostFacts {
  /** Name and version in the application's package.json. */
  readonly packageName: string | undefined;
  readonly packageVersion: string | undefined;
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
  const { name, version } = nearestManifest(starts, '.', readText);
  return {
    packageName: name,
    packageVersion: version,
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
      return { name: textOrNone(name), version: textOrNone(version) };
  }
  return { name: undefined, version: undefined };
}

function withParents(directory: string): readonly string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...withParents(parent)];
}

function jsonObject(text: string | undefined): { readonly [Key in keyof Manifest]?: unknown } {
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
