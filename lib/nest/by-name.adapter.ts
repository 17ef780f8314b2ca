import { Readable } from 'node:stream';
import axios, {
  AxiosError,
  type AxiosAdapter,
  AxiosHeaders,
  type AxiosResponse,
  CanceledError,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { CallOptions } from '../discovery/balancer.js';
import type { Candidate } from '../discovery/candidate.js';
import type { DiscoveryCore } from '../discovery/core.js';
import type { EndingAttempt } from '../discovery/deadlines.js';
import { withPrefix } from '../discovery/endpoint.js';
import type { ProviderCallOptions, ProviderQuery } from '../discovery/provider.js';
import { type ServiceUrl, serviceUrl } from '../discovery/service-url.js';
import { NoInstanceError, propertyOf } from '../errors.js';
import type { EndpointAgents } from './endpoint-agents.js';
import type { CallTracer, Tracing } from './tracing.js';

/** How a request by name is called. */
export interface ByNameOptions extends Pick<
  ProviderCallOptions,
  'key' | 'versionRule' | 'idempotent' | 'retries'
> {
  /** Who is called instead of the service that the URL names, such as one of another application. */
  readonly provider?: ProviderQuery | undefined;
}

declare module 'axios' {
  // Without type parameters, which differ from one version of axios to the next.
  interface AxiosRequestConfig {
    /** How to call a provider by its name, with the HttpService of `DiscoveryHttpModule`. */
    byName?: ByNameOptions;
  }
}

/** @internal What calls by name need. */
export interface ByNameParts {
  readonly core: Pick<DiscoveryCore, 'call'>;
  /** Sends a request to a host. */
  readonly send: AxiosAdapter;
  readonly agents: Pick<EndpointAgents, 'httpAgent' | 'httpsAgent' | 'closeIdleTo'>;
  /** Name of this service, which providers are told. */
  readonly ownName: string;
  /** Headers to pass on from what came in. */
  readonly context?: (() => Readonly<Record<string, string>> | undefined) | undefined;
  readonly tracing?: Readonly<Tracing> | undefined;
}

interface CallerParts extends ByNameParts {
  /** The header that names the caller, where nothing came in: it is the same for every call. */
  readonly ownContext: string;
}

// By a key that both forms of this library know: a process may load both.
const candidateKey = Symbol.for('nestjs-servicecomb.candidate');

/**
 * Returns who answered a request by name, or failed: of an AxiosResponse or an AxiosError. Undefined when it went
 * to a host, or to nobody.
 */
export function candidateOf(answer: unknown): Candidate | undefined {
  return typeof answer === 'object' && answer !== null
    ? Reflect.get(answer, candidateKey)
    : undefined;
}

/** All attempts together, as in java-chassis (OperationConfig.java). */
const defaultTimeoutMs = 30_000;

/** PUT and DELETE may be repeated by the RFC; few handlers allow it. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

const hostAdvice =
  'To call a host by its name in DNS, give its port, or inject the HttpService of HttpModule';

/**
 * @internal Makes the adapter that calls providers by name. Being an adapter it is below the interceptors of the user, which
 * run once for a request that is repeated. The request is directed to an instance while an attempt is under way, and put
 * back then, so that answers and errors have the URL as the user wrote it.
 */
export function byNameAdapter(parts: ByNameParts): AxiosAdapter {
  const callerParts = { ...parts, ownContext: contextWith(parts.ownName, {}) };
  return config => {
    const isOverUnixSocket = typeof config.socketPath === 'string';
    const target = isOverUnixSocket ? undefined : serviceUrl(fullUrlOf(config));
    if (target === undefined) return parts.send(config);
    return new CallByName(callerParts, config, target).run();
  };
}

/** Puts the URL together as axios does, which would put the name into lower case later. */
function fullUrlOf({ baseURL = '', url = '', allowAbsoluteUrls }: InternalAxiosRequestConfig) {
  const isAbsolute = /^([a-z][a-z\d+\-.]*:)?\/\//i.test(url);
  if (baseURL === '' || (isAbsolute && allowAbsoluteUrls !== false)) return url;
  return url === '' ? baseURL : `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`;
}

/**
 * Returns the part of a request that an attempt changes, as the user wrote it. The request itself is changed, and put
 * back: a copy of it would cost more than everything else here.
 */
function writtenIn(config: InternalAxiosRequestConfig) {
  const { baseURL, url, headers, timeout, signal } = config;
  const { proxy, httpAgent, httpsAgent, beforeRedirect } = config;
  return { baseURL, url, headers, timeout, signal, proxy, httpAgent, httpsAgent, beforeRedirect };
}

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;

/** One request by name, with all its attempts. */
class CallByName {
  #candidate: Candidate | undefined;
  /** Headers from what came in, which go to each instance that is tried. */
  #context: Readonly<Record<string, string>> = {};
  /** What the last attempt came to. */
  #result: Promise<AxiosResponse> | undefined;
  readonly #written: ReturnType<typeof writtenIn>;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  #trace: CallTracer | undefined;

  constructor(
    private readonly parts: CallerParts,
    private readonly config: InternalAxiosRequestConfig,
    private readonly target: ServiceUrl,
  ) {
    this.#written = writtenIn(config);
    // axios takes a text, too, such as one of the environment.
    const timeoutMs = Number(config.timeout);
    this.#timeoutMs = timeoutMs > 0 ? timeoutMs : defaultTimeoutMs;
    this.#signal = abortSignalOf(config.signal);
  }

  async run(): Promise<AxiosResponse> {
    const { core, context, tracing } = this.parts;
    const provider = this.config.byName?.provider ?? this.target.name;
    this.#context = context?.() ?? {};
    this.#trace = tracing?.tracer?.call({
      serviceName: typeof provider === 'string' ? provider : provider.serviceName,
      method: this.#method,
      headers: this.#headers(),
    });
    try {
      const send = (candidate: Candidate, attempt: EndingAttempt) =>
        this.#attempt(candidate, attempt);
      const answer = await core.call(provider, send, this.#options);
      return this.#ended(answer instanceof Redirected ? await answer.result : answer);
    } catch (error) {
      if (this.#candidate === undefined) this.#trace?.unsent(error);
      throw this.#ended(this.#errorOf(error));
    }
  }

  get #method(): string {
    return (this.config.method ?? 'get').toUpperCase();
  }

  get #options(): CallOptions {
    const { byName = {}, data } = this.config;
    const { key, versionRule, idempotent, retries } = byName;
    return {
      key,
      versionRule,
      idempotent,
      retries,
      scheme: this.target.isSecure ? 'https' : undefined,
      timeoutMs: this.#timeoutMs,
      signal: this.#signal,
      isSafe: safeMethods.has(this.#method),
      isOnce: typeof propertyOf(data, 'pipe') === 'function',
    };
  }

  async #attempt(
    candidate: Candidate,
    attempt: EndingAttempt,
  ): Promise<AxiosResponse | Redirected> {
    const { agents } = this.parts;
    const { host, port } = candidate.endpoint;
    this.config.cancelToken?.throwIfRequested();
    if (this.#result !== undefined) {
      await discard(this.#result);
      // The call may have ended meanwhile.
      attempt.signal.throwIfAborted();
    }
    this.#candidate = candidate;
    // All kept connections are as old as the one that was closed.
    if (attempt.needsNewConnection) agents.closeIdleTo(host, port);
    let isRedirected = false;
    this.#direct(candidate, attempt, () => (isRedirected = true));
    const result = this.#sent(candidate, attempt);
    this.#result = result;
    try {
      const answer = await result;
      return isRedirected ? new Redirected(result) : answer;
    } catch (error) {
      if (isRedirected) return new Redirected(result);
      throw error;
    }
  }

  #send({ signal }: EndingAttempt): Promise<AxiosResponse> {
    const isStream = this.config.responseType === 'stream';
    return isStream ? this.#untilHeaders(signal) : this.parts.send(this.config);
  }

  #sent(candidate: Candidate, attempt: EndingAttempt): Promise<AxiosResponse> {
    const trace = this.#trace;
    if (trace === undefined) return this.#send(attempt);
    const send = (added: Readonly<Record<string, string>>) => {
      this.config.headers = this.config.headers.concat(added);
      return this.#send(attempt);
    };
    const url = this.#urlAt(candidate);
    return trace.attempt({ candidate, attempt, url }, send);
  }

  /** Returns the URL with the parameters that axios adds, and without credentials. */
  #urlAt({ endpoint, url }: Candidate): string {
    const { params, paramsSerializer } = this.config;
    const whole = url + withPrefix(endpoint.prefix, this.target.rest);
    return axios.getUri({ url: whole, params, ...(paramsSerializer && { paramsSerializer }) });
  }

  /** Directs the request to an instance. */
  #direct(
    { endpoint, url }: Candidate,
    { endSignal }: EndingAttempt,
    redirected: () => void,
  ): void {
    const { agents } = this.parts;
    const { proxy = false, httpAgent, httpsAgent, beforeRedirect } = this.#written;
    const { userInfo, rest } = this.target;
    const origin = userInfo === '' ? url : url.replace('://', () => `://${userInfo}`);
    Object.assign(this.config, {
      baseURL: '',
      url: origin + withPrefix(endpoint.prefix, rest),
      headers: this.#headers(),
      // The deadline of the call aborts the attempt; that of axios begins anew with each byte.
      timeout: 0,
      signal: endSignal,
      proxy,
      httpAgent: httpAgent ?? agents.httpAgent,
      httpsAgent: httpsAgent ?? agents.httpsAgent,
      beforeRedirect: (...[next, ...details]: Parameters<BeforeRedirect>) => {
        redirected();
        if (originOf(next['href']) !== originOf(url)) this.#strip(Object(next['headers']));
        beforeRedirect?.(next, ...details);
      },
    });
  }

  /**
   * Returns the user's headers, and beneath them those of the context and ours; anew for each attempt, since axios
   * adds to them. The clients of Java and Go read the name of the caller from JSON in one header
   * (RestClientEncoder.java, rest_invoker.go).
   */
  #headers(): AxiosHeaders {
    const { ownName, ownContext } = this.parts;
    const all = new AxiosHeaders(this.#written.headers);
    for (const [name, value] of Object.entries(this.#context)) all.set(name, value, false);
    const written = all.get(contextHeader);
    if (written === undefined || written === null) return all.set(contextHeader, ownContext);
    const passed = objectIn(String(written));
    return passed === undefined ? all : all.set(contextHeader, contextWith(ownName, passed));
  }

  /** Takes out what was added for an instance, where that redirects to another host. */
  #strip(sent: object): void {
    const passedOn = new AxiosHeaders(this.#context);
    for (const name of Object.keys(sent)) {
      const isAdded = passedOn.has(name) && !this.#written.headers.has(name);
      if (isAdded || name.toLowerCase() === contextHeader) Reflect.deleteProperty(sent, name);
    }
  }

  /** The deadline of a call is for the headers of a stream, while its user may abort what follows. */
  async #untilHeaders(deadline: AbortSignal): Promise<AxiosResponse> {
    const controller = new AbortController();
    const abort = () => controller.abort(deadline.reason);
    deadline.addEventListener('abort', abort);
    const signals = [controller.signal, ...(this.#signal === undefined ? [] : [this.#signal])];
    try {
      this.config.signal = AbortSignal.any(signals);
      return await this.parts.send(this.config);
    } finally {
      deadline.removeEventListener('abort', abort);
    }
  }

  /** Returns an error as axios has it, or one of discovery. */
  #errorOf(error: unknown): unknown {
    const { config } = this;
    if (this.#signal?.aborted === true) return new CanceledError(undefined, config);
    if (propertyOf(error, 'name') === 'TimeoutError') return this.#timeoutError();
    if (!(error instanceof NoInstanceError)) return error;
    const { provider, reason, seen, advice } = error;
    return reason === 'unknown-provider' && advice === undefined
      ? new NoInstanceError(provider, reason, seen, hostAdvice)
      : error;
  }

  #timeoutError(): AxiosError {
    const { timeoutErrorMessage, transitional } = this.config;
    const { ECONNABORTED, ETIMEDOUT } = AxiosError;
    return new AxiosError(
      timeoutErrorMessage ?? `timeout of ${this.#timeoutMs}ms exceeded`,
      transitional?.clarifyTimeoutError === true ? ETIMEDOUT : ECONNABORTED,
      this.config,
    );
  }

  /** Puts the request back as the user wrote it, and notes at an answer or an error who it was. */
  #ended<T>(result: T): T {
    Object.assign(this.config, this.#written);
    for (const part of [result, propertyOf(result, 'response')])
      if (typeof part === 'object' && part !== null && 'config' in part)
        // Not enumerable, so that logs do not show it.
        Object.defineProperty(part, candidateKey, { value: this.#candidate, configurable: true });
    return result;
  }
}

/**
 * What came after a redirect, which an instance has answered with: whatever it is says nothing of the instance, and
 * the request must not be repeated, since a POST may have done its work.
 */
class Redirected {
  constructor(readonly result: Promise<AxiosResponse>) {}
}

function originOf(url: unknown): string {
  return new URL(String(url)).origin;
}

/** Ends the body of an answer that nobody gets: a stream would keep its connection for ever. */
async function discard(result: Promise<AxiosResponse>): Promise<void> {
  const [settled] = await Promise.allSettled([result]);
  const isAnswer = settled.status === 'fulfilled';
  const answer: unknown = isAnswer ? settled.value : propertyOf(settled.reason, 'response');
  const data = propertyOf(answer, 'data');
  if (data instanceof Readable) data.destroy();
}

function abortSignalOf(signal: InternalAxiosRequestConfig['signal']): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  // That of another implementation, which axios takes, too; it has refused one that is aborted already.
  const controller = new AbortController();
  signal.addEventListener?.('abort', () => controller.abort());
  return controller.signal;
}

const contextHeader = 'x-cse-context';

/** Returns the value of the header that names the caller, besides what came in. */
function contextWith(ownName: string, passed: object): string {
  return asciiJson({ ...passed, 'x-cse-src-microservice': ownName });
}

/** Returns the object in a JSON text; undefined when it is something else, which is left as it is. */
function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A header holds bytes only. */
function asciiJson(value: object): string {
  return JSON.stringify(value).replaceAll(
    /[^\x20-\x7e]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
