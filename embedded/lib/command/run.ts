import { readFile } from 'node:fs/promises';
import { version } from '../version.js';
import { EmbeddedServiceCenter } from '../embedded-service-center.js';
import type { LimitWarning } from '../profiles/client-limits.js';
import { readCommandLine, usage } from './command-line.js';
import type { ServeSettings, TlsFiles } from './command-line.js';
import { DataFile, DataSaver } from './data-file.js';
import { messageOf } from '../errors.js';
import { isLoopback } from '../page/origin-guard.js';
import type { EmbeddedServiceCenterOptions } from '../embedded-service-center-options.js';
import { isStrong, passwordRule } from '../rbac/accounts.js';
import type { TlsOptions } from '../server/tls.js';

/** Arguments, environment and output of the command. */
export interface Terminal {
  /** Arguments without the program's own name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  /** Resolves when the command should end. */
  readonly stopped: Promise<unknown>;
}

/** Runs the command and resolves to its exit code. */
export async function run(terminal: Terminal): Promise<number> {
  const commandLine = readCommandLine(terminal.args);
  switch (commandLine.kind) {
    case 'help':
      terminal.print(usage);
      return 0;
    case 'version':
      terminal.print(version);
      return 0;
    case 'wrong':
      terminal.printError(`${commandLine.issues.join('\n')}\n\n${usage}`);
      return 2;
    case 'serve':
      return serve(commandLine.settings, terminal);
  }
}

async function serve(settings: ServeSettings, terminal: Terminal): Promise<number> {
  try {
    const options = await serviceCenterOptions(settings, terminal.env);
    await serveUntilStopped(new EmbeddedServiceCenter(options), settings, terminal);
    terminal.print('Service Center stopped');
    return 0;
  } catch (error) {
    terminal.printError(messageOf(error));
    return 1;
  }
}

async function serveUntilStopped(
  serviceCenter: EmbeddedServiceCenter,
  settings: ServeSettings,
  terminal: Terminal,
): Promise<void> {
  const { data } = settings;
  const printError = (error: unknown) => terminal.printError(messageOf(error));
  const file = data === undefined ? undefined : new DataFile(data);
  const saver = file && new DataSaver(serviceCenter, file, { onError: printError });
  try {
    const source = await loadData(serviceCenter, settings, file);
    await serviceCenter.start();
    await saver?.start();
    printStart(serviceCenter, settings, { terminal, source });
    await terminal.stopped;
  } finally {
    await serviceCenter.stop();
  }
  await saver?.stop();
}

/** Loads the data file or, if there is none yet, the seed. Returns the path of the loaded file. */
async function loadData(
  serviceCenter: EmbeddedServiceCenter,
  { seed }: ServeSettings,
  data: DataFile | undefined,
): Promise<string | undefined> {
  const kept = await data?.read();
  if (data !== undefined && kept !== undefined) {
    load(serviceCenter, kept, data.path);
    return data.path;
  }
  if (seed === undefined) return undefined;
  const document = await new DataFile(seed).read();
  if (document === undefined) throw new Error(`${seed} does not exist`);
  load(serviceCenter, document, seed);
  return seed;
}

function load(serviceCenter: EmbeddedServiceCenter, document: unknown, path: string): void {
  try {
    serviceCenter.load(document);
  } catch (error) {
    throw new Error(`${path} cannot be loaded. ${messageOf(error)}`, { cause: error });
  }
}

function printStart(
  serviceCenter: EmbeddedServiceCenter,
  { host, profile, oddities, rbac, data, seed }: ServeSettings,
  { terminal, source }: { readonly terminal: Terminal; readonly source: string | undefined },
): void {
  const { url } = serviceCenter;
  terminal.print(`Embedded Service Center listens on ${url}, its page is ${url}/-/`);
  if (profile !== 'open-source') terminal.print(`Profile: ${profile}`);
  if (oddities !== undefined) terminal.print('Oddities: delays and losses of a real server');
  if (rbac) terminal.print('Tokens are required: log in as root with POST /v4/token');
  if (source !== undefined) {
    const { services } = serviceCenter.dump();
    const instances = serviceCenter.instances().length;
    terminal.print(`Loaded from ${source}: ${services.length} services, ${instances} instances`);
  }
  if (seed !== undefined && source !== seed)
    terminal.print(`${seed} was ignored, because ${data ?? ''} exists already`);
  const memory = data === undefined ? 'Data is kept in memory only' : `Data is saved to ${data}`;
  terminal.print(`${memory}; for development and tests, not for production`);
  terminal.print('Press Ctrl-C to stop');
  const isOpen = rbac ? '' : ', without authentication';
  if (!isLoopback(host))
    terminal.printError(`Warning: other machines can reach it on ${host}${isOpen}`);
  warnOnce(serviceCenter, terminal);
}

/**
 * Prints one warning per instance or consumer that exceeds the vendor's limits, and one about
 * registrations.
 */
function warnOnce(serviceCenter: EmbeddedServiceCenter, { printError }: Terminal): void {
  const warned = new Set<string>();
  serviceCenter.onWarning(warning => {
    const isPerSecond = warning.kind === 'registration-throttled';
    const key = isPerSecond ? warning.kind : `${warning.kind} ${nameOf(warning)}`;
    if (warned.has(key)) return;
    warned.add(key);
    printError(`Warning: ${sentenceOf(warning)}`);
  });
}

function sentenceOf(warning: LimitWarning): string {
  switch (warning.kind) {
    case 'heartbeat-too-soon': {
      const [distance, least] = [warning.distanceMs, warning.minDistanceMs].map(inSeconds);
      return `${nameOf(warning)} sent a heartbeat ${distance} s after the previous one, the vendor requires ${least} s`;
    }
    case 'find-too-soon': {
      const [distance, least] = [warning.distanceMs, warning.minDistanceMs].map(inSeconds);
      const finds = `${warning.instances + 1} service discoveries within ${distance} s`;
      return `${nameOf(warning)} sent ${finds}, the vendor allows one each ${least} s to an instance`;
    }
    case 'registration-throttled':
      return `a registration was refused, the vendor allows ${warning.limitPerSecond} per second`;
  }
}

/** Returns the ids in a warning without control characters, which a terminal would obey. */
function nameOf(warning: LimitWarning): string {
  const ids = [warning.serviceId, ...('instanceId' in warning ? [warning.instanceId] : [])];
  return ids.join('/').replaceAll(/\p{C}/gu, '?');
}

function inSeconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

/** The variable from which a real server reads the password of root. */
const passwordVariable = 'SC_INIT_ROOT_PASSWORD';

/**
 * Returns the options for the settings of a command line.
 *
 * @throws Error that names the missing or wrong variable or file, and does not contain its content
 */
export async function serviceCenterOptions(
  { host, port, profile, oddities, rbac, tls }: ServeSettings,
  env: Readonly<Record<string, string | undefined>>,
): Promise<EmbeddedServiceCenterOptions> {
  return {
    host,
    port,
    profile,
    oddities,
    rbac: rbac ? { rootPassword: passwordIn(env) } : undefined,
    tls: tls && (await tlsOptions(tls)),
  };
}

function passwordIn(env: Readonly<Record<string, string | undefined>>): string {
  const { [passwordVariable]: password = '' } = env;
  if (password === '')
    throw new Error(
      `--rbac takes the password of the account root from ${passwordVariable}, which is not set`,
    );
  if (!isStrong(password)) throw new Error(`${passwordVariable} must be ${passwordRule}`);
  return password;
}

async function tlsOptions({ cert, key, ca }: TlsFiles): Promise<TlsOptions> {
  return {
    cert: await pem(cert),
    key: await pem(key),
    ca: ca === undefined ? undefined : await pem(ca),
  };
}

async function pem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
