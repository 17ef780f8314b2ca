import type { IncomingHttpHeaders } from 'node:http';
import { catchRegistryError, RegistryError, invalid } from '../model/registry-error.js';
import type { Namespace } from '../model/namespace.js';
import type { RegistryModel } from '../model/registry-model.js';
import type { ActiveProfile } from '../profiles/client-limits.js';
import { parseJson } from './go-json.js';

/** A request of a client. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query as received, with escapes. */
  readonly target: string;
  /** Header names are in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Address of the client; absent if there is no connection. */
  readonly remoteAddress?: string | undefined;
}

/** Path parameters and body limit of the route of a request. */
export interface CallRoute {
  readonly parameters: ReadonlyMap<string, string>;
  readonly maxBodyBytes: number;
}

/** A request while a handler executes it. */
export class Call {
  readonly query: URLSearchParams;
  readonly #request: ApiRequest;
  readonly #route: CallRoute;

  constructor(
    readonly model: RegistryModel,
    readonly profile: ActiveProfile,
    request: ApiRequest,
    route: CallRoute,
  ) {
    this.#request = request;
    this.#route = route;
    this.query = new URLSearchParams(request.target.split('?').slice(1).join('?'));
  }

  /** A path without a project belongs to version 3, which has another header for the domain. */
  get namespace(): Namespace {
    const project = this.#route.parameters.get('project');
    const tenant = project === undefined ? this.header('x-tenant-name') : '';
    const domain = tenant || this.header('x-domain-name') || 'default';
    return this.model.namespace(domain, project ?? 'default');
  }

  /** Id of the service that asks, as it claims. */
  get consumerId(): string {
    return this.header('x-consumerid');
  }

  /** Address of the client; the empty string if there is no connection. */
  get remoteAddress(): string {
    return this.#request.remoteAddress ?? '';
  }

  /** The revision that the client has; none if the request bypasses the cache. */
  get revision(): string {
    const ignored = this.isSet('noCache') || this.isSet('cacheOnly');
    return ignored ? '' : this.value('rev');
  }

  get tags(): readonly string[] {
    const tags = this.value('tags');
    return tags === '' ? [] : tags.split(',');
  }

  /** Returns a parameter of the path; the empty string if there is none. */
  parameter(name: string): string {
    return this.#route.parameters.get(name) ?? '';
  }

  /** Returns a value of the query; the empty string if absent. */
  value(name: string): string {
    return this.query.get(name) ?? '';
  }

  /** Returns whether a value of the query means true (util.StringTRUE). */
  isSet(name: string): boolean {
    return ['1', 'true'].includes(this.value(name).trim().toLowerCase());
  }

  /** Returns the value of a header; the empty string if absent. */
  header(name: string): string {
    const value = this.#request.headers[name] ?? '';
    return typeof value === 'string' ? value : value.join(', ');
  }

  /** @throws RegistryError 400001 when the body is longer than the route allows */
  refuseLongBody(): void {
    if (this.#request.body.length > this.#route.maxBodyBytes)
      throw invalid('http: request body too large');
  }

  /**
   * Reads the body as JSON.
   *
   * @param otherwise error detail for a body that is not the right JSON; Go's message if absent
   * @throws RegistryError 400001
   */
  json<Body>(read: (document: unknown) => Body, otherwise?: string): Body {
    this.refuseLongBody();
    const body = catchRegistryError(() => read(parseJson(this.#request.body.toString())));
    if (!(body instanceof RegistryError)) return body;
    throw otherwise === undefined ? body : invalid(otherwise);
  }
}
