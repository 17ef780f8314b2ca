import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';

const environmentVariables = [
  'SERVICE_CENTER_ADDRESS',
  'PAAS_CSE_SC_ENDPOINT',
  'SERVICECOMB_SERVICE_PROPS',
  'SERVICECOMB_INSTANCE_PROPS',
  'CAS_APPLICATION_ID',
  'CAS_COMPONENT_NAME',
  'CAS_INSTANCE_VERSION',
  'CAS_INSTANCE_ID',
  'CAS_ENVIRONMENT_ID',
] as const;

/** A variable of the environment that this library reads; there are no others. */
export type EnvironmentVariable = (typeof environmentVariables)[number];

/** One address of one network interface. */
export interface NetworkAddress {
  /** Name of the interface, such as `eth0`. */
  readonly name: string;
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  /** Whether it is a loopback interface. */
  readonly internal: boolean;
}

/** Name and version of the application, as far as its package.json tells. */
export interface PackageFacts {
  readonly packageName: string | undefined;
  readonly packageVersion: string | undefined;
}

/** What the process and its host know: the input of `resolveOptions` besides the options. */
export interface HostFacts extends PackageFacts {
  readonly env: Readonly<Partial<Record<EnvironmentVariable, string | undefined>>>;
  /** Version of @nestjs/core; undefined when it cannot be found, as in a bundle. */
  readonly frameworkVersion: string | undefined;
  readonly hostName: string;
  /** A UUID, new with each reading, so that two applications of one process differ. */
  readonly randomId: string;
  /** Reads a file as text, or throws Node's error. */
  readonly readFile: (path: string) => string;
}

/** Reads the facts, once per application; the only place that asks the process and its host. */
export function readHostFacts(): HostFacts {
  const starts = packageStarts(process.argv[1], process.cwd());
  return {
    ...nearestPackage(starts, readText),
    env: Object.fromEntries(environmentVariables.map(name => [name, process.env[name]])),
    frameworkVersion: installedVersion('@nestjs/core', createRequire(import.meta.url)),
    hostName: hostname(),
    randomId: randomUUID(),
    readFile: path => readFileSync(path, 'utf8'),
  };
}

/**
 * Where to look for the application's package.json: beside the main script, unless that is a tool in
 * node_modules which runs the application, then in the working directory.
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

/**
 * The first package.json with a name, from each start up to the root.
 *
 * One without a name, such as `{"type":"module"}` in a build folder, is no application's.
 *
 * @param read gives the text of a file, undefined when there is none
 */
export function nearestPackage(
  starts: readonly string[],
  read: (path: string) => string | undefined,
): PackageFacts {
  for (const directory of starts.flatMap(withParents)) {
    const { name, version } = jsonObject(read(join(directory, 'package.json')));
    if (typeof name === 'string' && name !== '') {
      return { packageName: name, packageVersion: textOrNone(version) };
    }
  }
  return { packageName: undefined, packageVersion: undefined };
}

function withParents(directory: string): readonly string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...withParents(parent)];
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

interface PackageJson {
  readonly name?: unknown;
  readonly version?: unknown;
}

function jsonObject(text: string | undefined): PackageJson {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The version in the package.json of an installed package; undefined when it cannot be loaded. */
export function installedVersion(
  packageName: string,
  load: (path: string) => unknown,
): string | undefined {
  try {
    const manifest = load(`${packageName}/package.json`);
    const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
    return version ? textOrNone(manifest.version) : undefined;
  } catch {
    return undefined;
  }
}

/** The addresses of this machine now, in the order of the operating system. */
export function networkAddresses(): readonly NetworkAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(({ address, family, internal }) => ({ name, address, family, internal })),
  );
}
