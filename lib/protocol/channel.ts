import {
  type ServiceCombError,
  isServiceCombError,
  ServiceCenterUnreachableError,
} from '../errors.js';
import type { AddressBook } from './address-book.js';
import {
  type Asked,
  type FailureKind,
  failureKind,
  failureOf,
  isGone,
  isNoSuchService,
  isPermissionRefused,
  isRetriable,
  isTokenRefused,
  refusalOf,
  unexpectedAnswer,
} from './failures.js';
import type { WatchRequest } from './open-socket.js';
import { blankerFor } from './redact.js';
import {
  type Decode,
  type HttpReply,
  type OperationName,
  pathOf,
  type Route,
  routes,
  serviceParameters,
  type Texts,
  unexpected,
} from './wire.js';

/** One HTTP request. The transport adds what HTTP itself needs, and the headers that are the same for every request. */
export interface HttpRequest {
  readonly method: Route['method'];
  readonly url: string;
  readonly headers: Texts;
  /** Text of the body; undefined sends none, with `Content-Length: 0`. */
  readonly body: string | undefined;
  /** Total deadline in milliseconds: connection, headers and the last byte of the body. */
  readonly timeoutMs: number;
  /** Longest body that is read, in bytes after decompression. */
  readonly maxAnswerBytes: number;
  /** Ends the request at once when aborted. */
  readonly signal: AbortSignal | undefined;
}

/**
 * The port to HTTP. Resolves with every answer, whatever its status. Rejects with the HTTP library's own
 * error when there is no answer (failures.ts translates it), and never before the socket is freed. Tracers read the
 * name of the operation.
 */
export type Send = (request: HttpRequest, operation?: string) => Promise<HttpReply>;

/** A request to the registry, as a tracer sees it. */
export interface TracedRequest {
  /** Name of the operation, such as `heartbeat` or `registerInstance`. */
  readonly operation: string;
  readonly method: string;
  readonly url: string;
}

/** Sees the requests to the registry. It must not throw. */
export interface RequestTracer {
  /** Sends a request, and returns what `send` returns. */
  request<Reply extends { readonly status: number }>(
    request: TracedRequest,
    send: () => Promise<Reply>,
  ): Promise<Reply>;
}

/** Headers that authenticate a request. Their values are secrets. */
export type CredentialHeaders = Texts;

/** The port to credentials: authenticates the requests to the registry. */
export interface Credentials {
  /**
   * Returns the headers for the next request to an address; waits if a login is needed first.
   * @throws ServiceCombError when there are no credentials, or none within `timeoutMs`
   */
  headersFor(address: string, options: CallOptions): Promise<CredentialHeaders>;
  /** Notes that an address accepted these headers. */
  markAccepted(address: string, headers: CredentialHeaders): void;
  /** Notes that an address refused these headers; returns whether to ask again with new ones. */
  markRefused(address: string, headers: CredentialHeaders): boolean;
  /** Notes that these headers are valid but lack a permission. */
  markDenied(address: string, headers: CredentialHeaders): void;
  /** Why the last login failed; undefined after one that succeeds. Set also while an older token serves. */
  readonly loginError: ServiceCombError | undefined;
  /** Aborts the login under way, so that it does not keep the process alive. */
  stop(): void;
  /** Calls the listener with each change; returns a function that removes it. */
  onChange(listener: (change: TokenChange) => void): () => void;
}

/**
 * A change of the registry's token.
 *
 * - `renewed`: a login returned a token, valid for another `lifeMs`
 * - `refused`: the registry refused a login; the next one is possible in `retryInMs`
 * - `failed`: a renewal got no answer, `failures` in a row; the token at hand is still valid
 */
export type TokenChange = { readonly address: string } & (
  | { readonly kind: 'renewed'; readonly lifeMs: number }
  | { readonly kind: 'refused'; readonly error: ServiceCombError; readonly retryInMs: number }
  | { readonly kind: 'failed'; readonly error: ServiceCombError; readonly failures: number }
);

/** Sends no credentials, as to a registry with its security off. */
export const noCredentials: Credentials = {
  headersFor: () => Promise.resolve({}),
  markAccepted: () => undefined,
  markRefused: () => false,
  markDenied: () => undefined,
  stop: () => undefined,
  loginError: undefined,
  onChange: () => () => undefined,
};

/** One operation of the registry: the request, and how to read the answer. */
export interface Operation<T> {
  readonly name: OperationName;
  readonly parameters?: Texts | undefined;
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  readonly headers?: Texts | undefined;
  /** Sent as JSON; undefined sends no body. */
  readonly body?: unknown;
  /** Secrets in the body. */
  readonly secrets?: readonly string[] | undefined;
  /** Whether a successful answer is a secret: then no error shows it, whatever its shape. */
  readonly isAnswerSecret?: boolean | undefined;
  /** A status besides 200 that is a success. */
  readonly otherStatus?: number | undefined;
  /** Whether the answer grows with what is registered: a list, or a schema. @default false */
  readonly mayBeLong?: boolean | undefined;
  /** The expected answer in words, for the error when it is another one: `a list of instances`. */
  readonly expected: string;
  readonly decode: Decode<T>;
}

/** Bounds of one call. */
export interface CallOptions {
  /** Ends the call at once when aborted; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Deadline of the whole call in milliseconds: logins, and a second address, included. While another
   * address is left, the first one has half of it. @default the client's
   */
  readonly timeoutMs?: number | undefined;
  /**
   * The refusals that count only if another address does not contradict them: it is asked as well, and if
   * it serves the request, the first one has failed. @default none
   * @internal
   */
  readonly secondOpinion?: readonly FailureKind[] | undefined;
  /**
   * Whether another address than the one in use is asked, if there is one, and no third. @default false
   * @internal
   */
  readonly elsewhere?: boolean | undefined;
  /**
   * Called before each exchange of the call, which waits for the promise if there is one.
   * @internal
   */
  readonly turn?: (() => Promise<void> | undefined) | undefined;
}

/** The part of a call that one address may use. */
interface Attempt extends Pick<CallOptions, 'signal' | 'turn'> {
  /** When it must have ended, on the monotonic clock. */
  readonly endsAt: number;
}

/** An address that did not serve a call. */
interface FailedAttempt {
  readonly address: string;
  readonly error: ServiceCombError;
  /** The refusals for which a second opinion is asked. */
  readonly opinions: readonly FailureKind[];
}

/** Settings that every request needs. */
export interface ChannelSettings {
  readonly project: string;
  readonly domain: string | undefined;
  readonly timeoutMs: number;
  /** `now()` are milliseconds of a monotonic clock. */
  readonly clock: { now(): number };
  /** Longest answer of a list or a schema, in bytes. Other answers are read up to a mebibyte of it. */
  readonly maxAnswerBytes: number;
  /** Secrets that are sent besides the credentials: an application's own headers. */
  readonly secrets?: (() => readonly string[]) | undefined;
}

/**
 * Sends operations to the address in use. When that one does not answer, is busy, or is no Service
 * Center, sends once more to the next address. All of it shares one deadline.
 */
export class Channel {
  /** Addresses without a readiness check: Apache's Service Center has none. */
  readonly #withoutReadiness = new Set<string>();
  /** The path of each operation, with its query: an operation that is called again keeps it. */
  readonly #paths = new WeakMap<RequestParts, string>();

  constructor(
    private readonly send: Send,
    readonly addresses: AddressBook,
    private readonly settings: ChannelSettings,
    readonly credentials: Credentials = noCredentials,
  ) {}

  /**
   * Resolves with the decoded answer.
   * @throws ServiceCombError the failure; if two addresses were tried, that of the second one, unless the
   * first one's refusal is confirmed.
   */
  async call<T>(operation: Operation<T>, options: CallOptions = {}): Promise<T> {
    const { timeoutMs = this.settings.timeoutMs, elsewhere = false, signal, turn } = options;
    const { addresses } = this;
    const { current, hasAnother } = addresses;
    const address = (elsewhere ? addresses.opinionBeside(current) : undefined) ?? current;
    const startedAt = this.settings.clock.now();
    const endsAt = startedAt + timeoutMs;
    const shareEndsAt = hasAnother ? startedAt + timeoutMs / 2 : endsAt;
    try {
      return await this.#attempt(operation, address, { signal, turn, endsAt: shareEndsAt });
    } catch (error) {
      if (!isServiceCombError(error) || elsewhere || this.settings.clock.now() >= endsAt)
        throw error;
      const failed = { address, error, opinions: options.secondOpinion ?? [] };
      return this.#askAnother(operation, failed, { signal, turn, endsAt });
    }
  }

  /** Fails over to the next address, or asks for a second opinion; rethrows the error when there is no reason to. */
  #askAnother<T>(operation: Operation<T>, failed: FailedAttempt, rest: Attempt): Promise<T> {
    const { address: first, error, opinions } = failed;
    const { addresses } = this;
    if (isWorthFailOver(error)) {
      const second = addresses.current;
      if (second === first) throw error;
      return this.#failOver(operation, failed, second, rest);
    }
    const second = opinions.includes(failureKind(error)) && addresses.opinionBeside(first);
    if (!second) throw error;
    return this.#secondOpinion(operation, [first, second], { ...rest, refusal: error });
  }

  /**
   * A refusal that counts only if no other address contradicts it says nothing here: the one that has just
   * failed may serve the next call, which asks both.
   */
  async #failOver<T>(
    operation: Operation<T>,
    { address: first, error: failure, opinions }: FailedAttempt,
    second: string,
    attempt: Attempt,
  ): Promise<T> {
    try {
      return await this.#attempt(operation, second, attempt);
    } catch (error) {
      if (isServiceCombError(error) && opinions.includes(failureKind(error))) throw failure;
      if (!(error instanceof ServiceCenterUnreachableError)) throw error;
      const { reason, cause, advice } = error;
      const addresses = [first, second] as const;
      throw new ServiceCenterUnreachableError(operation.name, addresses, reason, { cause, advice });
    }
  }

  /**
   * A refusal is one node's word. If the other node serves the request, the first one has failed. If it has
   * forgotten the instance, that counts: registering again does no harm where the instance is known.
   */
  async #secondOpinion<T>(
    operation: Operation<T>,
    [first, second]: readonly [string, string],
    { refusal, ...attempt }: Attempt & { readonly refusal: ServiceCombError },
  ): Promise<T> {
    try {
      const value = await this.#attempt(operation, second, attempt);
      // Another process may have created the service between two lookups.
      if (operation.name !== 'getExistence') this.addresses.failed(first, refusal);
      return value;
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      // That there is no such service is the one answer of the two that an existence query can use.
      throw isGone(error) && !isNoSuchService(refusal) ? error : refusal;
    }
  }

  async #attempt<T>(operation: Operation<T>, address: string, attempt: Attempt): Promise<T> {
    try {
      const value = await this.#ask(operation, address, attempt);
      this.addresses.answered(address);
      return value;
    } catch (error) {
      if (isServiceCombError(error)) this.#noteFailure(address, error);
      throw error;
    }
  }

  /** An address that throttles works, but another one may serve now. */
  #noteFailure(address: string, error: ServiceCombError): void {
    switch (failureKind(error)) {
      case 'credentials':
        return;
      case 'throttled':
        return this.addresses.leave(address);
      case 'unavailable':
        return this.addresses.failed(address, error);
      case 'instance-gone':
      case 'service-gone':
      case 'refused':
        return this.addresses.answered(address);
    }
  }

  /** Sends a request whose token was refused once more, with a new token. */
  async #ask<T>(operation: Operation<T>, address: string, attempt: Attempt): Promise<T> {
    const headers = await this.#headersFor(address, attempt);
    try {
      return await this.#askWith(headers, operation, address, attempt);
    } catch (error) {
      if (!isTokenRefused(error) || !this.credentials.markRefused(address, headers)) throw error;
    }
    const renewed = await this.#headersFor(address, attempt);
    try {
      return await this.#askWith(renewed, operation, address, attempt);
    } catch (error) {
      if (isTokenRefused(error)) this.credentials.markRefused(address, renewed);
      throw error;
    }
  }

  async #askWith<T>(
    headers: CredentialHeaders,
    operation: Operation<T>,
    address: string,
    attempt: Attempt,
  ): Promise<T> {
    try {
      const value = await this.#exchange(operation, headers, address, attempt);
      this.credentials.markAccepted(address, headers);
      return value;
    } catch (error) {
      if (isPermissionRefused(error)) this.credentials.markDenied(address, headers);
      throw error;
    }
  }

  async #headersFor(address: string, attempt: Attempt): Promise<CredentialHeaders> {
    const { signal } = attempt;
    const bounds = { signal, timeoutMs: this.#leftMs(attempt) };
    const headers = await this.credentials.headersFor(address, bounds);
    signal?.throwIfAborted();
    return headers;
  }

  #leftMs({ endsAt }: Attempt): number {
    return Math.max(1, Math.round(endsAt - this.settings.clock.now()));
  }

  async #exchange<T>(
    operation: Operation<T>,
    credentials: CredentialHeaders,
    address: string,
    attempt: Attempt,
  ): Promise<T> {
    const { name, expected } = operation;
    const { signal } = attempt;
    await attempt.turn?.();
    signal?.throwIfAborted();
    const asked = { operation: name, address, timeoutMs: this.#leftMs(attempt) };
    const bounds = { address, timeoutMs: asked.timeoutMs, signal };
    const request = this.#requestOf(operation, credentials, bounds);
    const reply = await this.#reply(request, asked);
    const isSuccess = isSuccessOf(operation, reply);
    const value = isSuccess ? operation.decode(reply) : unexpected;
    if (value !== unexpected) return value;
    const blank = blankerFor({ ...operation, credentials }, reply, this.settings.secrets);
    throw isSuccess
      ? unexpectedAnswer(reply, asked, { expected, blank })
      : refusalOf(reply, asked, blank);
  }

  #requestOf(
    parts: RequestParts,
    credentials: CredentialHeaders,
    { address, timeoutMs, signal }: Omit<Asked, 'operation'> & Pick<HttpRequest, 'signal'>,
  ): HttpRequest {
    const { domain, maxAnswerBytes } = this.settings;
    const { name, headers, body, mayBeLong = false } = parts;
    const { method } = routes[name];
    const own: Record<string, string> = {};
    // Also without a body: axios would name a form otherwise.
    if (method === 'PUT' || method === 'POST') own['Content-Type'] = 'application/json';
    if (domain !== undefined) own['x-domain-name'] = domain;
    return {
      method,
      url: `${address}${this.#pathOf(parts)}`,
      headers: Object.assign(own, headers, credentials),
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs,
      maxAnswerBytes: mayBeLong ? maxAnswerBytes : Math.min(maxAnswerBytes, shortAnswerBytes),
      signal,
    };
  }

  #pathOf(parts: RequestParts): string {
    const known = this.#paths.get(parts);
    if (known !== undefined) return known;
    const { name, parameters, query } = parts;
    const { project } = this.settings;
    const path = `${pathOf(routes[name], { ...parameters, project })}${queryOf(query)}`;
    this.#paths.set(parts, path);
    return path;
  }

  async #reply(request: HttpRequest, asked: Asked): Promise<HttpReply> {
    try {
      return await this.send(request, asked.operation);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw failureOf(error, asked) ?? error;
    }
  }

  /**
   * Resolves with the handshake of the watcher of a service: at the address in use or, if that one is given as
   * `beside`, at another one. Failures of watchers are not noted in the address book: heartbeats may be served.
   * @throws ServiceCombError when there are no credentials, or none within `timeoutMs`
   */
  async watchRequest(
    serviceId: string,
    { beside, ...options }: CallOptions & { readonly beside?: string | undefined },
  ): Promise<WatchRequest> {
    const { addresses, credentials } = this;
    const { current } = addresses;
    const address = (current === beside && addresses.opinionBeside(current)) || current;
    const { signal, timeoutMs = this.settings.timeoutMs } = options;
    const sent = await credentials.headersFor(address, { signal, timeoutMs });
    const parts = { name: 'watch', parameters: serviceParameters(serviceId) } as const;
    const request = this.#requestOf(parts, sent, { address, timeoutMs, signal });
    return {
      address,
      url: request.url,
      headers: request.headers,
      maxMessageBytes: request.maxAnswerBytes,
      accepted: () => credentials.markAccepted(address, sent),
      refused: () => credentials.markRefused(address, sent),
    };
  }

  /**
   * Returns whether an address serves: asks for the readiness of a cloud, or for the version where there is
   * none. Sends no credentials, asks this address alone, and notes in the address book that it answered.
   * @throws the signal's reason when aborted; nothing else
   */
  async probe(address: string, options: CallOptions = {}): Promise<boolean> {
    const serves = await this.#isReady(address, options);
    if (serves) this.addresses.probeAnswered(address);
    return serves;
  }

  async #isReady(address: string, options: CallOptions): Promise<boolean> {
    if (!this.#withoutReadiness.has(address)) {
      const status = await this.#statusOf('getReadiness', address, options);
      if (status === undefined || !hasNoReadiness(status)) return status === 200;
      this.#withoutReadiness.add(address);
    }
    const status = await this.#statusOf('getVersion', address, options);
    // A server that asks for credentials is there: other requests take 401 and 403 for answers, too.
    return status === 200 || status === 401 || status === 403;
  }

  /** Returns the status of the answer; undefined when there is none. */
  async #statusOf(
    name: OperationName,
    address: string,
    { signal, timeoutMs = this.settings.timeoutMs }: CallOptions,
  ): Promise<number | undefined> {
    const asked = { operation: name, address, timeoutMs };
    try {
      const request = this.#requestOf({ name }, {}, { ...asked, signal });
      return (await this.#reply(request, asked)).status;
    } catch (error) {
      if (isServiceCombError(error)) return undefined;
      throw error;
    }
  }
}

function isWorthFailOver(error: ServiceCombError): boolean {
  return isRetriable(error) && failureKind(error) !== 'credentials';
}

/** A gateway may answer 204, or another 2xx, in place of an empty 200. */
function isSuccessOf({ otherStatus }: Pick<Operation<unknown>, 'otherStatus'>, reply: HttpReply) {
  const { status, body } = reply;
  const isEmptySuccess = status > 200 && status < 300 && body === '';
  return status === 200 || status === otherStatus || isEmptySuccess;
}

/** A gateway, or a server with its security on, may refuse instead of answering 404. */
function hasNoReadiness(status: number): boolean {
  return status === 404 || status === 405 || status === 401 || status === 403;
}

/** The parts that a request is made of. */
type RequestParts = Pick<
  Operation<unknown>,
  'name' | 'parameters' | 'query' | 'headers' | 'body' | 'mayBeLong'
>;

/** Longest answer that is read of operations whose answers are short, in bytes. */
const shortAnswerBytes = 1_048_576;

function queryOf(query: Operation<unknown>['query']): string {
  if (query === undefined) return '';
  const entries = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return entries.length === 0 ? '' : `?${entries.join('&')}`;
}
