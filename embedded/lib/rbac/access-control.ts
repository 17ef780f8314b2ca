import { json, omitEmpty } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import { catchRegistryError, RegistryError, HandlerPanic } from '../model/registry-error.js';
import { permit, scopeOf } from './permissions.js';
import type { Labels, RoutedCall } from './permissions.js';
import type { Caller, Rbac } from './rbac.js';
import { adminRole } from './roles.js';
import { isObject } from '../api/struct-reader.js';

/** Decides whether a request is executed. */
export interface Access {
  /**
   * Executes a request if its sender is allowed to.
   *
   * @param execute gets the sender; undefined if no token was required
   * @throws RegistryError 401201, 401204, 401205, 401206, 403205, and errors of `execute`
   */
  authorize(routed: RoutedCall, execute: (caller: Caller | undefined) => Answer): Answer;
}

/** Allows everything, without RBAC. */
export const openAccess: Access = { authorize: (_, execute) => execute(undefined) };

/** The answer if the server panics or writes none. */
const emptyAnswer: Answer = { status: 200, headers: {}, body: '' };

/** Requires tokens and permissions (server/plugin/auth/buildin/buildin.go). */
export class RbacAccess implements Access {
  readonly #rbac: Rbac;

  constructor(rbac: Rbac) {
    this.#rbac = rbac;
  }

  authorize(routed: RoutedCall, execute: (caller: Caller | undefined) => Answer): Answer {
    const authorization = catchPanic(() => catchRegistryError(() => this.#check(routed)));
    if (authorization === undefined) return emptyAnswer;
    if (authorization instanceof RegistryError) {
      // The server does not write an error to a connection that may have been taken over
      // (server/handler/exception).
      if (isForWebSocket(routed)) return emptyAnswer;
      throw authorization;
    }
    const answer = catchPanic(() => execute(authorization.caller)) ?? emptyAnswer;
    return filterList(answer, routed.pattern, authorization.labels);
  }

  #check(routed: RoutedCall): Authorization {
    const { protection, roles } = this.#rbac;
    if (!protection.needsToken(routed.pattern)) return { caller: undefined, labels: [] };
    const caller = this.#rbac.callerOf(routed.call);
    if (!protection.needsPermission(routed.pattern) || caller.roles.includes(adminRole))
      return { caller, labels: [] };
    return { caller, labels: permit(roles.permissionsOf(caller.roles), scopeOf(routed)) };
  }
}

interface Authorization {
  readonly caller: Caller | undefined;
  /** Labels by which the answer is filtered; none if it is not. */
  readonly labels: readonly Labels[];
}

/** Returns the result of a function; undefined if the server would panic. */
function catchPanic<Value>(act: () => Value): Value | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof HandlerPanic) return undefined;
    throw error;
  }
}

function isForWebSocket({ method, pattern }: RoutedCall): boolean {
  const service = '/v4/:project/registry/microservices/:serviceId';
  const patterns = [`${service}/watcher`, `${service}/instances/:instanceId/heartbeat`];
  return method === 'GET' && patterns.includes(pattern);
}

/** Filtered lists: the name in the answer, and the labels of an item. */
const lists: ReadonlyMap<
  string,
  { readonly name: string; readonly of: (item: unknown) => Fields }
> = new Map([
  ['/v4/:project/registry/microservices', { name: 'services', of: fieldsOf }],
  [
    '/v4/:project/govern/microservices',
    {
      name: 'allServicesDetail',
      of: (item: unknown) => fieldsOf(fieldsOf(item).get('microService')),
    },
  ],
  [
    '/v4/:project/govern/apps',
    { name: 'appIds', of: (item: unknown) => new Map([['appId', item]]) },
  ],
]);

type Fields = ReadonlyMap<string, unknown>;

/**
 * Removes the items of a list that no permission covers (server/response/response.go). Here, unlike
 * in the check of the request, a `*` in a service name matches anything.
 */
function filterList(answer: Answer, pattern: string, labels: readonly Labels[]): Answer {
  const list = lists.get(pattern);
  if (list === undefined || labels.length === 0 || answer.status !== 200) return answer;
  const fields = new Map(fieldsOf(JSON.parse(answer.body)));
  const items: unknown = fields.get(list.name);
  if (!Array.isArray(items)) return answer;
  const kept = items.filter(item => labels.some(wants => matchesLabels(list.of(item), wants)));
  fields.set(list.name, omitEmpty(kept));
  return { ...json(Object.fromEntries(fields), answer.headers), status: answer.status };
}

/** An unknown label, like the environment of an application, does not exclude an item. */
function matchesLabels(fields: Fields, wants: Labels): boolean {
  const { environment, appId, serviceName } = wants;
  const isOf = (name: string, value: string | undefined) =>
    value === undefined || (fields.get(name) ?? '') === value;
  if (!fields.has('serviceName')) return isOf('appId', appId);
  const isNamed =
    serviceName === undefined || wildcard(serviceName).test(String(fields.get('serviceName')));
  return isNamed && isOf('appId', appId) && isOf('environment', environment);
}

function wildcard(pattern: string): RegExp {
  const parts = pattern
    .split('*')
    .map(part => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`);
}

function fieldsOf(value: unknown): Fields {
  return new Map<string, unknown>(isObject(value) ? Object.entries(value) : []);
}
