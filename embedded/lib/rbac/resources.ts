/** The kinds of resources that permissions are about (server/service/rbac/resource.go). */
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

/** Paths of the router, each with what it is about. */
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

/** Parts of paths, each with what a path is about that has it. */
const partial: readonly (readonly [part: string, resource: RbacResource])[] = [
  ['/v4/accounts', 'account'],
  ['/v4/roles', 'role'],
  [`${service}/schemas`, 'service/schema'],
  ['/v4/:project/admin', 'ops'],
  ['instances', 'service'],
  ['/v4/:project/govern', 'service'],
];

/**
 * What a path of the router is about; the empty string where the server has no name for it, which
 * leaves the path to admins: dependencies, and most of version 3.
 */
export function resourceOf(pattern: string): RbacResource | '' {
  return exact.get(pattern) ?? partial.find(([part]) => pattern.includes(part))?.[1] ?? '';
}

/** Paths that nobody needs a token for; `/metrics` is not one of the API's. */
const open: ReadonlySet<string> = new Set([
  '/v4/token',
  '/version',
  '/health',
  `${registry}/version`,
  `${registry}/health`,
  '/v1/syncer/health',
  '/metrics',
]);

/** Paths that need a token and no permission. */
const withoutPermission: ReadonlySet<string> = new Set([
  '/v4/self-perms',
  '/v4/accounts/:name/password',
]);

/** Tells which paths need what. */
export interface Protection {
  needsToken(pattern: string): boolean;
  needsPermission(pattern: string): boolean;
  /** True when services are protected, not only accounts and roles. */
  readonly coversServices: boolean;
}

/** @param scope what is protected besides accounts and roles; everything when absent */
export function protectionOf(scope: readonly RbacResource[] | undefined): Protection {
  const covered = scope && new Set<string>([...scope, 'role', 'account']);
  const covers = (resource: string) => covered === undefined || covered.has(resource);
  return {
    needsToken: pattern => !open.has(pattern) && covers(resourceOf(pattern)),
    needsPermission: pattern => !withoutPermission.has(pattern),
    coversServices: covers('service'),
  };
}
