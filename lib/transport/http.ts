import { Agent, ClientRequest } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { Readable } from 'node:stream';
import { createSecureContext } from 'node:tls';
import type { HttpService } from '@nestjs/axios';
import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { catchError, firstValueFrom, fromEvent, map, retry, takeUntil, tap, timeout } from 'rxjs';
import { codeOf } from '../errors.js';
import type { ResolvedOptions, TlsMaterial } from '../options/resolved-options.js';
import type { HttpRequest, Send } from '../protocol/channel.js';
import { secretsOf } from '../protocol/redact.js';
import type { HttpReply } from '../protocol/wire.js';

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
  get agents(): Pick<AxiosRequestConfig, 'httpAgent' | 'httpsAgent' | 'proxy'> {
    const { httpAgent = this.#plain, httpsAgent = this.#secure }: AxiosRequestConfig =
      this.settings.axios?.() ?? {};
    return { httpAgent, httpsAgent, proxy: false };
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

/** Longest request that is sent, in bytes. */
const maxRequestBytes = 1_048_576;

/** Settings that deadlines, errors and credentials depend on; `serviceCenter.axios` cannot change them. */
const ours = {
  adapter: 'http',
  auth: undefined,
  baseURL: undefined,
  cancelToken: undefined,
  decompress: true,
  http2Options: undefined,
  httpVersion: undefined, // HTTP/2 would bypass our agents, and the certificates that they verify.
  maxBodyLength: maxRequestBytes,
  maxRedirects: 0,
  responseType: 'stream',
  signal: undefined,
  timeout: 0,
  transformRequest: [],
  transformResponse: [],
  transport: undefined,
  validateStatus: () => true,
};

/**
 * Creates an axios instance of our own, so that interceptors and defaults of the application do not touch a
 * heartbeat, nor ours its requests. A new instance starts with the defaults of the process, which may
 * include an Authorization header of the application: they are removed.
 */
export function createPrivateAxios(
  connections: Connections,
  { axios: extras }: Extras,
): ReturnType<typeof axios.create> {
  const instance = axios.create();
  for (const name of Object.keys(instance.defaults))
    Reflect.deleteProperty(instance.defaults, name);
  const extra = extras?.() ?? {};
  Object.assign(instance.defaults, extra, ours, { headers: { common: {}, ...headersOf(extra) } });
  instance.interceptors.request.use(config => Object.assign(config, connections.agents));
  instance.interceptors.response.use(response => withBody(response));
  return instance;
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

/** Reads the body before the answer is passed on, so that a timeout or an abort ends the reading, too. */
async function withBody(response: AxiosResponse<unknown>): Promise<AxiosResponse<unknown>> {
  const { data, config } = response;
  if (data instanceof Readable) response.data = await bodyOf(data, config.maxContentLength ?? 0);
  return response;
}

/**
 * Reads the text of an answer. Decodes the pieces as they come: a list of them would take 400 MB for a
 * mebibyte in pieces of one byte. Removes a byte order mark; bytes that are not UTF-8 become U+FFFD.
 * @throws Error with the code `ERR_ANSWER_TOO_LONG`; with the code `ERR_BAD_RESPONSE` and its cause when the
 * answer breaks off or cannot be decompressed
 */
export async function bodyOf(answer: Readable, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  try {
    for await (const piece of answer) {
      if (!(piece instanceof Uint8Array)) throw new TypeError('An answer is bytes');
      length += piece.length;
      if (length > maxBytes) throw coded('ERR_ANSWER_TOO_LONG');
      text += decoder.decode(piece, { stream: true });
    }
  } catch (cause) {
    // Some versions of axios count as well, and have a code of their own for it.
    const isTooLong = ['ERR_ANSWER_TOO_LONG', 'ERR_BAD_RESPONSE'].includes(codeOf(cause) ?? '');
    throw isTooLong ? coded('ERR_ANSWER_TOO_LONG') : coded('ERR_BAD_RESPONSE', { cause });
  }
  return text + decoder.decode();
}

function coded(code: string, options?: ErrorOptions): Error {
  return Object.assign(new Error(`The answer cannot be read: ${code}`, options), { code });
}

/**
 * Creates the port to HTTP from an HttpService. A kept connection that the server has just closed is no
 * failure: the request is sent once more, over a new one. The deadline is rxjs' `timeout`, since axios' own
 * does not end an answer that trickles; unsubscribing closes the socket, for a deadline and an abort alike.
 */
export function sendThrough(http: HttpService, connections: Pick<Connections, 'closeIdle'>): Send {
  return request => {
    const { signal, timeoutMs } = request;
    signal?.throwIfAborted();
    const reply = http.request<string>(axiosRequest(request)).pipe(
      retry({ count: 1, delay: error => overNewConnection(error, connections) }),
      catchError((error: unknown) => {
        throw withoutRequest(error);
      }),
      map(replyOf),
      timeout({ first: timeoutMs }),
    );
    return firstValueFrom(signal === undefined ? reply : reply.pipe(takeUntil(aborted(signal))));
  };
}

/**
 * Returns an error without the request: axios keeps it in its own, with all headers, and would show them
 * wherever it is printed. An error of an agent may have no code; it is no bug of ours for that.
 */
function withoutRequest(error: unknown): unknown {
  if (!axios.isAxiosError<unknown>(error)) return error;
  const { name, message, code = 'ERR_NETWORK', cause } = error;
  return Object.assign(new Error(message, { cause }), { name, code });
}

/** Closes all kept connections first: they are as old as the one that was closed. */
function overNewConnection(
  error: unknown,
  connections: Pick<Connections, 'closeIdle'>,
): Promise<void> {
  if (!wasKeptTooLong(error)) throw error;
  connections.closeIdle();
  return Promise.resolve();
}

function wasKeptTooLong(error: unknown): boolean {
  if (!axios.isAxiosError<unknown>(error)) return false;
  const request: unknown = error.request;
  const isReset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
  return isReset && request instanceof ClientRequest && request.reusedSocket;
}

function aborted(signal: AbortSignal): ReturnType<typeof fromEvent<Event>> {
  return fromEvent<Event>(signal, 'abort').pipe(tap(() => signal.throwIfAborted()));
}

/** Leaves the body undefined, not null: axios would send the four letters of `null`. */
function axiosRequest(request: HttpRequest): AxiosRequestConfig<string> {
  const { method, url, headers, body, maxAnswerBytes } = request;
  const data = body === undefined ? {} : { data: body };
  return { method, url, headers: { ...headers }, maxContentLength: maxAnswerBytes, ...data };
}

function replyOf({ status, headers, data }: AxiosResponse<unknown>): HttpReply {
  const texts = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return { status, headers: Object.fromEntries(texts), body: typeof data === 'string' ? data : '' };
}
