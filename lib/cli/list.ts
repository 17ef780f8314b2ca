import { isServiceCombError } from '../errors.js';
import { isGone } from '../protocol/failures.js';
import { printable } from '../protocol/printable.js';
import type { Microservice, StoredInstance } from '../protocol/wire.js';
import { durationOf } from './address-check.js';
import type { ListSettings } from './arguments.js';
import type { Connection } from './connection.js';
import type { Paint, Terminal } from './terminal.js';

/** A service with its instances, as `ls` lists it. */
interface ListedService {
  readonly appId: string;
  readonly serviceName: string;
  readonly version: string;
  readonly environment: string;
  readonly serviceId: string;
  readonly instances: readonly ListedInstance[];
}

interface ListedInstance {
  readonly instanceId: string;
  readonly hostName: string;
  readonly status: string;
  readonly endpoints: readonly string[];
  /** Length of the lease: its last heartbeat is no longer ago, or it would not be listed. */
  readonly leaseSeconds: number | undefined;
  /** When the record was last changed, by the registry's clock. Heartbeats do not change it. */
  readonly changedAt: string | undefined;
}

/** What `ls` works with. */
export interface ListParts extends Pick<
  Terminal,
  'print' | 'printError' | 'isTerminal' | 'showProgress' | 'stopped'
> {
  readonly settings: ListSettings;
  readonly connection: Connection;
  readonly paint: Paint;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How many services are asked for at a time. */
const breadth = 8;
/** From one reading to the next with `--watch`. */
const everyMs = 5_000;

/** Lists services and instances; with `--watch` again and again, until stopped. Returns the exit code. */
export async function list(parts: ListParts): Promise<number> {
  const { settings, stopped, print, showProgress } = parts;
  let printed = '';
  for (;;) {
    showProgress('Reading the registry');
    const services = await read(parts);
    showProgress(undefined);
    const isMissing = settings.service !== undefined && services?.length === 0;
    if (isMissing && !settings.watch) {
      parts.printError(noneOf(settings));
      return 1;
    }
    if (services === undefined && !settings.watch) return stopped.aborted ? 130 : 1;
    // The time that passes is no change.
    const records = services === undefined ? printed : JSON.stringify(services);
    const isRedrawn = settings.watch && parts.isTerminal && !settings.json;
    if (services !== undefined && (isRedrawn || records !== printed))
      print(`${isRedrawn ? clearScreen : ''}${shown(services, parts)}`);
    printed = records;
    if (settings.watch) await parts.delay(everyMs, stopped);
    if (!settings.watch || stopped.aborted) return 0;
  }
}

const clearScreen = '\u001b[2J\u001b[3J\u001b[H';

/** Returns undefined after an error, which it prints; and when stopped. */
async function read(parts: ListParts): Promise<readonly ListedService[] | undefined> {
  try {
    return await readServices(parts);
  } catch (error) {
    if (parts.stopped.aborted) return undefined;
    if (!isServiceCombError(error)) throw error;
    parts.showProgress(undefined);
    parts.printError(error.message);
    return undefined;
  }
}

async function readServices({
  connection: { client },
  settings,
  stopped,
}: ListParts): Promise<readonly ListedService[]> {
  const signal = stopped;
  const found = (await client.listMicroservices({ signal })).filter(isAskedFor(settings.service));
  const services: ListedService[] = [];
  for (let start = 0; start < found.length; start += breadth) {
    const some = found.slice(start, start + breadth).map(async service => {
      const { serviceId = '' } = service;
      const instances = await client.listInstances(serviceId, { signal }).catch(undefinedIfGone);
      return instances === undefined ? [] : [listed(service, instances)];
    });
    services.push(...(await Promise.all(some)).flat());
  }
  return services.toSorted((left, right) => compare(keyOf(left), keyOf(right)));
}

/** A service may be removed after the list of them was read. */
function undefinedIfGone(error: unknown): undefined {
  if (!isServiceCombError(error) || !isGone(error)) throw error;
}

function isAskedFor(asked: string | undefined): (service: Microservice) => boolean {
  return ({ appId = 'default', serviceName }) =>
    asked === undefined || asked === serviceName || asked === `${appId}/${serviceName}`;
}

function keyOf({ appId, serviceName, version }: ListedService): string {
  return `${appId}/${serviceName} ${version}`;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

function listed(
  { appId = 'default', serviceName, version, environment = '', serviceId = '' }: Microservice,
  instances: readonly StoredInstance[],
): ListedService {
  const all = instances
    .map(listedInstance)
    .toSorted((left, right) => compare(left.instanceId, right.instanceId));
  return { appId, serviceName, version, environment, serviceId, instances: all };
}

/** Later moments are no dates. */
const lastMomentMs = 8.64e15;

function listedInstance(instance: StoredInstance): ListedInstance {
  const { instanceId, hostName, status = 'UP', endpoints = [], healthCheck } = instance;
  const changedAt = Number(instance.modTimestamp ?? instance.timestamp) * 1_000;
  const isKnown = changedAt > 0 && changedAt <= lastMomentMs;
  return {
    instanceId,
    hostName,
    status,
    endpoints,
    leaseSeconds: healthCheck && healthCheck.interval * ((healthCheck.times ?? 0) + 1),
    changedAt: isKnown ? new Date(changedAt).toISOString() : undefined,
  };
}

/** With `--watch` each JSON document is one line. */
function shown(
  services: readonly ListedService[],
  { settings, paint, connection }: ListParts,
): string {
  if (settings.json) return JSON.stringify({ services }, undefined, settings.watch ? undefined : 2);
  if (services.length === 0) return noneOf(settings);
  return tableOf(services, paint, Date.now() + (connection.clockAheadMs() ?? 0));
}

function noneOf({ service }: ListSettings): string {
  return service === undefined
    ? 'The registry has no service'
    : `The registry has no service ${JSON.stringify(service)}`;
}

const headings = ['SERVICE', 'VERSION', 'STATUS', 'ENDPOINTS', 'LEASE', 'CHANGED', 'INSTANCE'];

/** @param now by the registry's clock, as the moments of its records are */
function tableOf(services: readonly ListedService[], paint: Paint, now: number): string {
  const rows = services.flatMap(service =>
    service.instances.length === 0
      ? [rowOf(service, undefined, now)]
      : service.instances.map(instance => rowOf(service, instance, now)),
  );
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map(row => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    paint('bold', line(headings)),
    ...rows.map(row => colouredStatus(line(row), row[2] ?? '', paint)),
  ].join('\n');
}

function rowOf(
  service: ListedService,
  instance: ListedInstance | undefined,
  now: number,
): readonly string[] {
  const { appId, serviceName, version, environment } = service;
  const name = `${appId}/${serviceName}${environment === '' ? '' : ` (${environment})`}`;
  if (instance === undefined)
    return [name, version, '–', 'no instance', '–', '–', '–'].map(printable);
  const { status, endpoints, leaseSeconds, changedAt, instanceId } = instance;
  const agoMs = changedAt === undefined ? undefined : Math.max(0, now - Date.parse(changedAt));
  return [
    name,
    version,
    status,
    endpoints.length === 0 ? '–' : endpoints.join(' '),
    leaseSeconds === undefined ? '–' : `${leaseSeconds} s`,
    agoMs === undefined ? '–' : `${durationOf(agoMs)} ago`,
    instanceId,
  ].map(printable);
}

function colouredStatus(line: string, status: string, paint: Paint): string {
  if (status === '–') return paint('gray', line);
  return line.replace(`  ${status} `, `  ${paint(status === 'UP' ? 'green' : 'yellow', status)} `);
}
