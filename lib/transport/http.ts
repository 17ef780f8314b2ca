import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { HttpService } from '@nestjs/axios';
import axios, {
  type AxiosAdapter,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { firstValueFrom } from 'rxjs';
import type { ResolvedOptions, TlsMaterial } from '../options/resolved-options.js';
import type { HttpRequest, Send } from '../protocol/channel.js';
import { secretsOf } from '../protocol/redact.js';
import type { HttpReply, Texts } from '../protocol/wire.js';
import { type Asked, type ConnectionsPort, exchange } from './exchange.js';

/** The options that connections are made with. */
export type ConnectionSettings = Pick<ResolvedOptions['serviceCenter'], 'tls' | 'axios'>;

type Extras = Pick<ConnectionSettings, 'axios'>;

/** Idle connections are closed after 50 s: the server closes its own after 60 s (etc/conf/app.yaml). */
const kept = { keepAlive: true, timeout: 50_000, maxFreeSockets: 4 };

/**
 * The connections to the registry, kept from one heartbeat to the next. Their number is not limited, so that
 * no heartbeat waits behind slow reads of the application. Agents in `serviceCenter.axios` replace ours.
 */
export class Connections {
  readonly #plain = new Agent(kept);
  #secure: SecureAgent;

  constructor(private readonly settings: ConnectionSettings) {
    this.#secure = this.#secureAgent(settings.tls.material?.());
  }

  /** The agents for the next request. No proxy of the environment is used. */
  get agents(): ConnectionsPort['agents'] {
    const { httpAgent = this.#plain, httpsAgent = this.#secure }: AxiosRequestConfig =
      this.settings.axios?.() ?? {};
    return { httpAgent, httpsAgent };
  }

  /** Uses these certificates for new connections. Those in use are closed as soon as they are free. */
  renew(material: TlsMaterial): void {
    this.#secure.maxFreeSockets = 0;
    closeIdle(this.#secure);
    this.#secure = this.#secureAgent(material);
  }

  /** Closes the connections that are not in use. */
  closeIdle(): void {
    closeIdle(this.#plain);
    closeIdle(this.#secure);
  }

  /**
   * `rejectUnauthorized` is always set, so that no variable of the environment decides it. The context is
   * made once for all connections: opening a key or reading a long list of authorities takes a while.
   */
  #secureAgent(material: TlsMaterial | undefined): SecureAgent {
    const { servername, rejectUnauthorized, minVersion } = this.settings.tls;
    const secureContext = material && createSecureContext({ ...material, minVersion });
    return new SecureAgent({ ...kept, servername, rejectUnauthorized, minVersion, secureContext });
  }
}

function closeIdle({ freeSockets }: Agent): void {
  for (const sockets of Object.values(freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

/**
 * Creates an axios instance of our own, so that interceptors and defaults of the application do not touch a
 * heartbeat, nor ours its requests. A new instance starts with the defaults of the process, which may
 * include an Authorization header of the application: they are removed. Of `serviceCenter.axios` it takes the
 * headers; {@link Connections} has the agents.
 */
export function createPrivateAxios(
  connections: Connections,
  { axios: extras }: Extras,
): ReturnType<typeof axios.create> {
  const instance = axios.create();
  for (const name of Object.keys(instance.defaults))
    Reflect.deleteProperty(instance.defaults, name);
  Object.assign(instance.defaults, {
    adapter: adapterOver(connections),
    headers: { common: {}, ...headersOf(extras?.() ?? {}) },
    transformRequest: [],
    transformResponse: [],
  });
  return instance;
}

/** Makes axios' adapter of {@link exchange}. No status is an error, and no header but those read is passed on. */
function adapterOver(connections: Connections): AxiosAdapter {
  return async config => {
    const { status, headers, body } = await exchange(requestOf(config), connections);
    return { status, statusText: '', headers, data: body, config };
  };
}

function requestOf(config: InternalAxiosRequestConfig<string>): Asked {
  const { method = 'get', url = '', headers, data, timeout = 0, maxContentLength = 0 } = config;
  return {
    method: method.toUpperCase(),
    url,
    headers: sendable(headers),
    body: data,
    timeoutMs: timeout,
    maxAnswerBytes: maxContentLength,
    signal: config.signal instanceof AbortSignal ? config.signal : undefined,
  };
}

/** Returns the headers as texts, without the characters that no header can hold. */
function sendable(headers: object): Texts {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries<unknown>({ ...headers })) {
    const text = Array.isArray(value) ? value.join(', ') : value;
    if (typeof text === 'string') texts[name] = text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
  }
  return texts;
}

/** Returns the headers that are sent: without undefined ones and axios' groups by method. */
function headersOf({ headers = {} }: AxiosRequestConfig): object {
  const isSent = ([, value]: [string, unknown]) =>
    ['string', 'number', 'boolean'].includes(typeof value);
  return Object.fromEntries(Object.entries(headers).filter(isSent));
}

/** Returns the secrets in the headers of `serviceCenter.axios`, which every request has. */
export function secretsBeside({ axios: extras }: Extras): readonly string[] {
  const isText = (entry: [string, unknown]): entry is [string, string] =>
    typeof entry[1] === 'string';
  const texts = Object.entries(extras?.().headers ?? {}).filter(isText);
  return secretsOf(Object.fromEntries(texts));
}

/**
 * Creates the port to HTTP from an HttpService. Its deadline and its signal are kept by the adapter, so that
 * nothing has to be unsubscribed.
 */
export function sendThrough(http: HttpService): Send {
  return async request => {
    request.signal?.throwIfAborted();
    try {
      return replyOf(await firstValueFrom(http.request<string>(configOf(request))));
    } catch (error) {
      throw withoutRequest(error);
    }
  };
}

/** Given to HttpService, which would make one for each request: half of what axios costs without it. */
const neverCancelled = axios.CancelToken.source().token;

/** Leaves the body undefined, not null: axios would send the four letters of `null`. */
function configOf(request: HttpRequest): AxiosRequestConfig<string> {
  const { method, url, headers, body, timeoutMs, maxAnswerBytes, signal } = request;
  return {
    method,
    url,
    headers: { ...headers },
    ...(body !== undefined && { data: body }),
    ...(signal !== undefined && { signal }),
    timeout: timeoutMs,
    maxContentLength: maxAnswerBytes,
    cancelToken: neverCancelled,
  };
}

/**
 * Returns an error without the request: axios keeps it in its own, with all headers, and would show them
 * wherever it is printed.
 */
function withoutRequest(error: unknown): unknown {
  if (!axios.isAxiosError<unknown>(error)) return error;
  const { name, message, code = 'ERR_NETWORK', cause } = error;
  return Object.assign(new Error(message, { cause }), { name, code });
}

function replyOf({ status, headers, data }: AxiosResponse<unknown>): HttpReply {
  const texts = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return { status, headers: Object.fromEntries(texts), body: typeof data === 'string' ? data : '' };
}
