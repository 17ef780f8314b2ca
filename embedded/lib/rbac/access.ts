import type { Answer } from '../api/answer.js';
import { attempt } from '../model/attempt.js';
import { RegistryError } from '../model/registry-error.js';
import { cutDown } from './answer-filter.js';
import { HandlerPanic } from './handler-panic.js';
import { permit } from './permissions.js';
import type { Labels } from './permissions.js';
import type { Caller, Rbac } from './rbac.js';
import { scopeOf } from './resource-scope.js';
import type { RoutedCall } from './resource-scope.js';
import { adminRole } from './roles.js';

/** Lets a request through to what executes it, or does not. */
export interface Access {
  /**
   * Executes a request if its sender may.
   *
   * @param execute takes who sent it; nobody when no token was asked for
   * @throws RegistryError 401201, 401204, 401205, 401206, 403205, and what `execute` throws
   */
  enter(routed: RoutedCall, execute: (caller: Caller | undefined) => Answer): Answer;
}

/** The access of who has no RBAC. */
export const openAccess: Access = { enter: (_, execute) => execute(undefined) };

/** All that a client gets where the server has no answer for it. */
const silence: Answer = { status: 200, headers: {}, body: '' };

/** Lets only those in who may (server/plugin/auth/buildin/buildin.go). */
export class GuardedAccess implements Access {
  readonly #rbac: Rbac;

  constructor(rbac: Rbac) {
    this.#rbac = rbac;
  }

  enter(routed: RoutedCall, execute: (caller: Caller | undefined) => Answer): Answer {
    const admission = silenced(() => attempt(() => this.#admit(routed)));
    if (admission === undefined) return silence;
    if (admission instanceof RegistryError) {
      // Nobody writes to a connection that may have been taken over (server/handler/exception).
      if (isForWebSocket(routed)) return silence;
      throw admission;
    }
    const answer = silenced(() => execute(admission.caller)) ?? silence;
    return cutDown(answer, routed.pattern, admission.labels);
  }

  #admit(routed: RoutedCall): Admission {
    const { protection, roles } = this.#rbac;
    if (!protection.needsToken(routed.pattern)) return { caller: undefined, labels: [] };
    const caller = this.#rbac.callerOf(routed.call);
    if (!protection.needsPermission(routed.pattern) || caller.roles.includes(adminRole))
      return { caller, labels: [] };
    return { caller, labels: permit(roles.permissionsOf(caller.roles), scopeOf(routed)) };
  }
}

interface Admission {
  readonly caller: Caller | undefined;
  /** What the answer is cut down to; none for all of it. */
  readonly labels: readonly Labels[];
}

/** What an attempt gives; undefined when the server dies of it. */
function silenced<Value>(act: () => Value): Value | undefined {
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
