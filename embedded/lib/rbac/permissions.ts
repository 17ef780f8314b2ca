import {
  ErrorCode,
  RegistryError,
  catchRegistryError,
  HandlerPanic,
} from '../model/registry-error.js';
import type { Call } from '../api/call.js';
import {
  readBatchFind,
  readHeartbeats,
  readCreateService,
  readDeleteServices,
} from '../api/request-bodies.js';
import { unauthorized } from './json-web-token.js';

/**
 * Labels of a resource or of a permission: `environment`, `appId` and `serviceName` of a service.
 */
export type Labels = Readonly<Record<string, string>>;

/** Resources of a permission: all of a kind, or those with all of the labels. */
interface Resource {
  readonly type?: string | undefined;
  readonly labels?: Labels | undefined;
}

/** Verbs that are allowed on some resources. */
export interface Permission {
  readonly resources?: readonly Resource[] | undefined;
  /** Any of get, create, update and delete; `*` for all. */
  readonly verbs?: readonly string[] | undefined;
}

/** Resources and verb of a request. */
export interface ResourceScope {
  readonly type: string;
  readonly verb: string;
  /** Labels of each resource; none if the request is about all of them. */
  readonly labels: readonly Labels[];
}

/**
 * Decides whether permissions cover a request (server/service/rbac/decision.go). It is enough if
 * they cover one of several resources.
 *
 * @returns the labels by which the answer must be filtered; none if it must not
 * @throws RegistryError 403205
 */
export function permit(
  permissions: readonly Permission[],
  { type, verb, labels }: ResourceScope,
): readonly Labels[] {
  if (permissions.length === 0) throw noPermission('role has no any permissions');
  const wanted = permissions
    .filter(({ verbs = [] }) => verbs.includes('*') || verbs.includes(verb))
    .flatMap(({ resources = [] }) => resources)
    .filter(resource => resource.type === type)
    .map(resource => resource.labels ?? {});
  if (wanted.length === 0) throw noPermission(`role has no permissions[${type}:${verb}]`);
  if (wanted.some(isEmpty)) return [];
  if (labels.length === 0) return wanted;
  const matching = labels.flatMap(has => wanted.filter(wants => isCovered(has, wants)));
  if (matching.length > 0) return matching;
  const texts = labels.map(textOf).join(' ');
  throw noPermission(`role has no permissions[${type}:${verb}] for labels [${texts}]`);
}

function isEmpty(labels: Labels): boolean {
  return Object.keys(labels).length === 0;
}

function isCovered(has: Labels, wants: Labels): boolean {
  return Object.entries(wants).every(([name, value]) => (has[name] ?? '') === value);
}

/** Returns labels as Go prints a map. */
function textOf(labels: Labels): string {
  const entries = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([name, value]) => `${name}:${value}`).join(' ')}]`;
}

function noPermission(detail: string): RegistryError {
  return new RegistryError(ErrorCode.NoPermission, detail);
}

/** Kinds of resources (server/service/rbac/resource.go). */
export const rbacResources = [
  'account',
  'config',
  'role',
  'service',
  'governance',
  'ops',
  'service/schema',
] as const;

/** One of the kinds of resources. */
export type RbacResource = (typeof rbacResources)[number];

const registry = '/v4/:project/registry';
const service = `${registry}/microservices/:serviceId`;

/** Kind of resource by path of a route. */
const exact: ReadonlyMap<string, RbacResource> = new Map([
  ['/v4/account-locks', 'account'],
  ...[
    service,
    `${registry}/microservices`,
    `${service}/properties`,
    `${registry}/existence`,
    `${service}/consumers`,
    `${service}/providers`,
    `${registry}/heartbeats`,
    `${service}/watcher`,
    `${service}/tags`,
    `${service}/tags/:key`,
  ].map(path => [path, 'service'] as const),
]);

/** Kind of resource by part of a path. */
const partial: readonly (readonly [part: string, resource: RbacResource])[] = [
  ['/v4/accounts', 'account'],
  ['/v4/roles', 'role'],
  [`${service}/schemas`, 'service/schema'],
  ['/v4/:project/admin', 'ops'],
  ['instances', 'service'],
  ['/v4/:project/govern', 'service'],
];

/**
 * Returns the kind of resource of a route; the empty string if the server has none. Then only
 * admins are allowed: for dependencies, and most of version 3.
 */
function resourceOf(pattern: string): RbacResource | '' {
  return exact.get(pattern) ?? partial.find(([part]) => pattern.includes(part))?.[1] ?? '';
}

/** Routes that need no token. `/metrics` is not part of the API. */
const open: ReadonlySet<string> = new Set([
  '/v4/token',
  '/version',
  '/health',
  `${registry}/version`,
  `${registry}/health`,
  '/v1/syncer/health',
  '/metrics',
]);

/** Routes that need a token but no permission. */
const withoutPermission: ReadonlySet<string> = new Set([
  '/v4/self-perms',
  '/v4/accounts/:name/password',
]);

/** The protected routes. */
export interface Protection {
  needsToken(pattern: string): boolean;
  needsPermission(pattern: string): boolean;
  /** Whether services are protected, not only accounts and roles. */
  readonly coversServices: boolean;
}

/** @param scope protected resources besides accounts and roles; everything if absent */
export function protectionOf(scope: readonly RbacResource[] | undefined): Protection {
  const covered = scope && new Set<string>([...scope, 'role', 'account']);
  const covers = (resource: string) => covered === undefined || covered.has(resource);
  return {
    needsToken: pattern => !open.has(pattern) && covers(resourceOf(pattern)),
    needsPermission: pattern => !withoutPermission.has(pattern),
    coversServices: covers('service'),
  };
}

/** A request with its route. */
export interface RoutedCall {
  readonly call: Call;
  readonly method: string;
  /** The path of the route, with `:name` segments. */
  readonly pattern: string;
}

/** Functions that find the labels of a request, by the beginning of the route's path. */
const parsers: readonly (readonly [path: string, labelsOf: (routed: RoutedCall) => Labels[]])[] = [
  [`${registry}/microservices/:serviceId`, byPath],
  ['/v4/:project/govern/microservices/:serviceId', byPath],
  [`${registry}/instances/action`, ofBatchFind],
  [`${registry}/instances`, byName],
  [`${registry}/existence`, byName],
  [`${registry}/heartbeats`, ofHeartbeats],
  [`${registry}/microservices`, ofServices],
];

const verbs: ReadonlyMap<string, string> = new Map([
  ['GET', 'get'],
  ['POST', 'create'],
  ['PUT', 'update'],
  ['DELETE', 'delete'],
]);

/**
 * Returns the resources and verb of a request (server/plugin/auth/buildin/service_parser.go).
 *
 * @throws RegistryError 401201 if a service is unknown or the body is not the right JSON. Clients
 * must not mistake that for a bad token (M12).
 */
export function scopeOf(routed: RoutedCall): ResourceScope {
  const { method, pattern } = routed;
  const labelsOf = parsers.find(([path]) => pattern.startsWith(path))?.[1];
  const labels = catchRegistryError(() => labelsOf?.(routed) ?? []);
  if (labels instanceof RegistryError) throw unauthorized('no valid resouce scope');
  const isFind = pattern === `${registry}/instances/action`;
  return { type: resourceOf(pattern), verb: isFind ? 'get' : (verbs.get(method) ?? ''), labels };
}

function byPath({ call }: RoutedCall): Labels[] {
  return [labelsOfService(call, call.parameter('serviceId'))];
}

/** Without `env`, the environment of the consumer is used. */
function byName({ call }: RoutedCall): Labels[] {
  if (call.query.has('serviceId')) return [labelsOfService(call, call.value('serviceId'))];
  const { consumerId } = call;
  const environment =
    call.value('env') || (consumerId && labelsOfService(call, consumerId)['environment']) || '';
  const [appId, serviceName] = [call.value('appId'), call.value('serviceName')];
  return [{ environment, appId, serviceName }];
}

function ofBatchFind({ call }: RoutedCall): Labels[] {
  const { instances = [] } = call.json(readBatchFind);
  return instances.map(item => {
    if (item?.instance === undefined) throw new HandlerPanic();
    return labelsOfService(call, item.instance.serviceId ?? '');
  });
}

function ofHeartbeats({ call }: RoutedCall): Labels[] {
  const { instances = [] } = call.json(readHeartbeats);
  return instances.map(item => {
    if (item === null) throw new HandlerPanic();
    return labelsOfService(call, item.serviceId ?? '');
  });
}

/** Uses the names in the request, before defaults are filled in. */
function ofServices({ call, method }: RoutedCall): Labels[] {
  if (method === 'GET') return [];
  if (method === 'DELETE') {
    const { serviceIds = [] } = call.json(readDeleteServices);
    return serviceIds.map(serviceId => labelsOfService(call, serviceId));
  }
  const { service } = call.json(readCreateService);
  if (service === undefined) throw unauthorized('invalid CreateServiceRequest');
  const { environment = '', appId = '', serviceName = '' } = service;
  return [{ environment, appId, serviceName }];
}

function labelsOfService({ namespace }: Call, serviceId: string): Labels {
  const { service } = namespace.requireService(serviceId);
  const { environment = '', appId, serviceName } = service;
  return { environment, appId, serviceName };
}
