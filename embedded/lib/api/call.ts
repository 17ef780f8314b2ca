import type { IncomingHttpHeaders } from 'node:http';
import { catchRegistryError, RegistryError, invalid } from '../model/registry-error.js';
import type { Namespace } from '../model/namespace.js';
import type { RegistryModel } from '../model/registry-model.js';
import type { ActiveProfile } from '../profiles/client-limits.js';
import { parseJson } from './go-json.js';

/** A request, as a client sends it. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query as they came, escapes and all. */
  readonly target: string;
  /** By lower-case names. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The other end of the connection; absent where there is none. */
  readonly remoteAddress?: string | undefined;
}

/** Where a routed request goes: its path's parameters and how long its body may be. */
export interface CallRoute {
  readonly parameters: ReadonlyMap<string, string>;
  readonly maxBodyBytes: number;
}

/** A request on its way through a handler. */
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

  /** A path without a project is of version 3, which has another name for the domain, too. */
  get namespace(): Namespace {
    const project = this.#route.parameters.get('project');
    const tenant = project === undefined ? this.header('x-tenant-name') : '';
    const domain = tenant || this.header('x-domain-name') || 'default';
    return this.model.namespace(domain, project ?? 'default');
  }

  /** The service that asks, by its own word. */
  get consumerId(): string {
    return this.header('x-consumerid');
  }

  /** The other end of the connection; the empty string where there is none. */
  get remoteAddress(): string {
    return this.#request.remoteAddress ?? '';
  }

  /** The revision the client has; none counts when it wants to go past the cache. */
  get revision(): string {
    const ignored = this.isSet('noCache') || this.isSet('cacheOnly');
    return ignored ? '' : this.value('rev');
  }

  get tags(): readonly string[] {
    const tags = this.value('tags');
    return tags === '' ? [] : tags.split(',');
  }

  /** A part of the path; the empty string when the path has no such part. */
  parameter(name: string): string {
    return this.#route.parameters.get(name) ?? '';
  }

  /** A value of the query; the empty string when absent. */
  value(name: string): string {
    return this.query.get(name) ?? '';
  }

  /** True when a value of the query says so (util.StringTRUE). */
  isSet(name: string): boolean {
    return ['1', 'true'].includes(this.value(name).trim().toLowerCase());
  }

  /** A header's value; the empty string when absent. */
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
   * @param otherwise what a body that is not the right JSON is told; Go's own words when absent
   * @throws RegistryError 400001
   */
  json<Body>(read: (document: unknown) => Body, otherwise?: string): Body {
    this.refuseLongBody();
    const body = catchRegistryError(() => read(parseJson(this.#request.body.toString())));
    if (!(body instanceof RegistryError)) return body;
    throw otherwise === undefined ? body : invalid(otherwise);
  }
}
