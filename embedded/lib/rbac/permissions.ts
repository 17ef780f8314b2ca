import { ErrorCode } from '../model/error-codes.js';
import { RegistryError } from '../model/registry-error.js';

/** Labels that a resource has, or must have: `environment`, `appId` and `serviceName` of a service. */
export type Labels = Readonly<Record<string, string>>;

/** What a permission is about: all of a kind, or those that have all of the labels. */
export interface Resource {
  readonly type?: string | undefined;
  readonly labels?: Labels | undefined;
}

/** What may be done with some resources. */
export interface Permission {
  readonly resources?: readonly Resource[] | undefined;
  /** Some of get, create, update and delete; `*` for all. */
  readonly verbs?: readonly string[] | undefined;
}

/** What a request is about to do. */
export interface ResourceScope {
  readonly type: string;
  readonly verb: string;
  /** Of each resource that it is about; none when it is about all of them. */
  readonly labels: readonly Labels[];
}

/**
 * Decides whether permissions cover what a request is about to do (server/service/rbac/decision.go).
 * One of several resources is enough.
 *
 * @returns the labels to which the answer must be cut down; none when it need not be
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
  const told = labels.map(textOf).join(' ');
  throw noPermission(`role has no permissions[${type}:${verb}] for labels [${told}]`);
}

function isEmpty(labels: Labels): boolean {
  return Object.keys(labels).length === 0;
}

function isCovered(has: Labels, wants: Labels): boolean {
  return Object.entries(wants).every(([name, value]) => (has[name] ?? '') === value);
}

/** A map as Go prints it. */
function textOf(labels: Labels): string {
  const entries = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([name, value]) => `${name}:${value}`).join(' ')}]`;
}

function noPermission(detail: string): RegistryError {
  return new RegistryError(ErrorCode.NoPermission, detail);
}
