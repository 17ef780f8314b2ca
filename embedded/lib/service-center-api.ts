import type { IncomingHttpHeaders } from 'node:http';
import { serviceCenterVersion } from './model/own-service.js';
import { catchRegistryError, RegistryError } from './model/registry-error.js';
import type { RegistryModel } from './model/registry-model.js';
import type { OperationName } from './api/operations.js';
import { plain, errorAnswer } from './api/answer.js';
import type { Answer } from './api/answer.js';
import { Call } from './api/call.js';
import type { ApiRequest, CallRoute } from './api/call.js';
import { badRequest, complain, isSuspicious, pathOf, redirect } from './api/request-target.js';
import { openSource } from './profiles/client-limits.js';
import type { ActiveProfile } from './profiles/client-limits.js';
import { extraRouteAnswer, adaptAnswer, missingDomainError } from './profiles/profile-answers.js';
import { Router } from './api/router.js';
import { RbacAccess, openAccess } from './rbac/access-control.js';
import type { Access } from './rbac/access-control.js';
import { rbacRoutes } from './rbac/rbac-handlers.js';
import type { Rbac } from './rbac/rbac.js';
import { commonRoutes, router } from './route-table.js';
import type { Operation } from './route-table.js';
import type { WebSocketRequest } from './server/web-sockets.js';

const serverHeader = { Server: `SERVICECENTER/${serviceCenterVersion}` };

/** API v4 of Service Center as a function from request to answer, without sockets. */
export class ServiceCenterApi {
  readonly #model: RegistryModel;
  readonly #profile: ActiveProfile;
  readonly #router: Router<Operation>;
  readonly #access: Access;

  /** @param rbac absent if everybody may do everything */
  constructor(model: RegistryModel, profile = openSource(), rbac?: Rbac) {
    this.#model = model;
    this.#profile = profile;
    this.#router = rbac ? new Router([...commonRoutes, ...rbacRoutes(rbac)]) : router;
    this.#access = rbac ? new RbacAccess(rbac) : openAccess;
  }

  answer(request: ApiRequest): Answer {
    const { method, target } = request;
    const path = pathOf(target);
    if (path === undefined) return badRequest;
    const elsewhere = redirect(method, target, path);
    if (elsewhere !== undefined) return elsewhere;
    const answer = method === 'OPTIONS' ? preflight(request.headers) : this.#execute(request, path);
    if (isSuspicious(target)) return withHeaders(complain(target, answer), serverHeader);
    return withHeaders(answer, { ...serverHeader, ...corsHeaders(request.headers) });
  }

  /**
   * Returns the WebSocket that a handshake asks for; undefined if its path has none.
   *
   * @param accepted the answer that accepts the handshake
   */
  webSocketOf(request: ApiRequest, accepted: Answer): WebSocketRequest | undefined {
    const { method } = request;
    const path = pathOf(request.target) ?? '';
    const routed = this.#router.route(method, path);
    if (routed.kind !== 'found') return undefined;
    const { parameters, pattern, target } = routed;
    const { webSocket: kind, maxBodyBytes } = target;
    if (kind === undefined || missingDomainError(this.#profile.settings, request, path))
      return undefined;
    const call = this.#call(request, { parameters, maxBodyBytes });
    const answer = () => {
      const answer = this.#access.authorize({ call, method, pattern }, () => accepted);
      const headers = { ...serverHeader, ...corsHeaders(request.headers) };
      return answer === accepted ? answer : withHeaders(answer, headers);
    };
    return { kind, call, answer };
  }

  #execute(request: ApiRequest, path: string): Answer {
    const { settings } = this.#profile;
    const answer = extraRouteAnswer(settings, request.method, path) ?? this.#route(request, path);
    return adaptAnswer(settings, request, answer);
  }

  #route(request: ApiRequest, path: string): Answer {
    const routed = this.#router.route(request.method, path);
    switch (routed.kind) {
      case 'unknown':
        return plain(404, '404 page not found');
      case 'wrong-method':
        return plain(405, 'Method Not Allowed', { Allow: routed.allow.join(', ') });
      case 'found': {
        const { handle, maxBodyBytes } = routed.target;
        const { parameters, pattern } = routed;
        const { method } = request;
        const refused = missingDomainError(this.#profile.settings, request, path);
        if (refused !== undefined) return errorAnswer(refused);
        const call = this.#call(request, { parameters, maxBodyBytes });
        const outcome = catchRegistryError(() =>
          this.#access.authorize({ call, method, pattern }, caller => handle(call, caller)),
        );
        return outcome instanceof RegistryError ? errorAnswer(outcome) : outcome;
      }
    }
  }

  #call(request: ApiRequest, route: CallRoute): Call {
    return new Call(this.#model, this.#profile, request, route);
  }
}

/** Returns the name of the operation that a request asks for; undefined if it has none. */
export function operationOf({ method, target }: ApiRequest): OperationName | undefined {
  const routed = router.route(method, pathOf(target) ?? '');
  return routed.kind === 'found' ? routed.target.name : undefined;
}

function withHeaders(answer: Answer, headers: Answer['headers']): Answer {
  return { ...answer, headers: { ...headers, ...answer.headers } };
}

const methods = new Set(['GET', 'POST', 'PUT', 'DELETE', 'UPDATE']);
const headers = new Set(['origin', 'accept', 'content-type', 'x-domain-name', 'x-consumerid']);

/**
 * Returns the headers that allow a page of any origin to read an answer
 * (server/interceptor/cors/cors.go).
 */
function corsHeaders({ origin }: IncomingHttpHeaders): Answer['headers'] {
  const allowed = { 'Access-Control-Allow-Origin': '*' };
  return { Vary: 'Origin', ...(origin === undefined ? {} : allowed) };
}

/** Returns the answer to OPTIONS, on any path. */
function preflight(request: IncomingHttpHeaders): Answer {
  const method = (request['access-control-request-method'] ?? '').toUpperCase();
  const wanted = request['access-control-request-headers'] ?? '';
  const names = wanted.split(',').map(name => name.trim().toLowerCase());
  const isAllowed =
    methods.has(method) && (wanted === '' || names.every(name => headers.has(name)));
  const allowed = {
    'Access-Control-Allow-Methods': method,
    ...(wanted === '' ? {} : { 'Access-Control-Allow-Headers': wanted }),
  };
  return { status: 200, headers: isAllowed ? allowed : {}, body: '' };
}
