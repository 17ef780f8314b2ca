import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
} from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { pipeline, type Readable, Transform } from 'node:stream';
import { createSecureContext } from 'node:tls';
import { constants, createBrotliDecompress, createUnzip } from 'node:zlib';
import type { HttpService } from '@nestjs/axios';
import axios, {
  type AxiosAdapter,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { firstValueFrom } from 'rxjs';
import { codeOf } from '../errors.js';
import type { ResolvedOptions, TlsMaterial } from '../options/resolved-options.js';
import type { HttpRequest, RequestTracer, Send } from '../protocol/channel.js';
import { secretsOf } from '../protocol/redact.js';
import { headersRead, type HttpReply, type Texts } from '../protocol/wire.js';
import { version } from '../version.js';

/** The options that connections are made with. */
export type ConnectionSettings = Pick<ResolvedOptions['serviceCenter'], 'tls' | 'axios'>;

/** Calls back after that many milliseconds, without keeping the process alive; returns the function that ends it. */
export type StartTimer = (ms: number, onTime: () => void) => () => void;

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

  constructor(
    private readonly settings: ConnectionSettings,
    /** Starts the deadline of a request. */
    readonly startTimer: StartTimer,
  ) {
    this.#secure = this.#secureAgent(settings.tls.material?.());
  }

  /** The agents for the next request. No proxy of the environment is used. */
  get agents(): { readonly httpAgent: Agent; readonly httpsAgent: SecureAgent } {
    const { httpAgent = this.#plain, httpsAgent = this.#secure } = this.settings.axios?.() ?? {};
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

/** A request, with a method of any kind. */
export type Asked = Omit<HttpRequest, 'method'> & { readonly method: string };

/** The headers that every request has. Axios does not see them: it copies and checks each header several times. */
export const senderHeaders = {
  Accept: 'application/json',
  'User-Agent': `nestjs-servicecomb/${version}`,
} as const satisfies Texts;

/** Longest request that is sent, in bytes. */
const maxRequestBytes = 1_048_576;

/**
 * Sends a request and reads its answer: the whole body, but only the headers that somebody reads. One deadline
 * covers connecting, headers and body. A kept connection that the server has just closed is no failure: the
 * request is sent once more, over a new one.
 *
 * Rejects with the signal's reason, with a `TimeoutError`, or with an error that has a code; the request is in
 * none of them. The socket has been freed by then.
 */
export function exchange(
  asked: Asked,
  connections: Pick<Connections, 'agents' | 'closeIdle' | 'startTimer'>,
): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const { signal, timeoutMs, maxAnswerBytes } = asked;
    let isOver = false;
    const release = () => {
      isOver = true;
      endDeadline();
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: unknown) => {
      release();
      sent.destroy();
      reject(error);
    };
    const abort = () => fail(signal?.reason);
    const read = async (answer: IncomingMessage) => {
      const body = await bodyOf(decoded(answer), maxAnswerBytes);
      release();
      resolve({ status: answer.statusCode ?? 0, headers: headersReadFrom(answer), body });
    };
    const send = () => {
      const request = begin(asked, connections.agents);
      request.on('response', answer => void read(answer).catch(fail));
      return request.end(asked.body);
    };
    const sendAgain = () => {
      // All kept connections are as old as the one that was closed.
      connections.closeIdle();
      sent = send().on('error', error => fail(unanswered(error)));
    };
    let sent = send().on('error', error => {
      // A request that is given up emits an error, too: as if the server had closed the connection.
      if (!isOver && wasKeptTooLong(sent, error)) sendAgain();
      else fail(unanswered(error));
    });
    const endDeadline = connections.startTimer(timeoutMs, () => fail(timeoutError()));
    signal?.addEventListener('abort', abort);
  });
}

function begin(
  { method, url, headers, body = '' }: Asked,
  { httpAgent, httpsAgent }: Connections['agents'],
): ClientRequest {
  if (Buffer.byteLength(body) > maxRequestBytes) throw coded('ERR_BAD_REQUEST');
  const { protocol, hostname, port, path } = targetOf(url);
  const isSecure = protocol === 'https:';
  const options = {
    protocol,
    hostname,
    port,
    path,
    method,
    headers: { ...headers, ...senderHeaders, 'Accept-Encoding': 'gzip, compress, deflate, br' },
    agent: isSecure ? httpsAgent : httpAgent,
    insecureHTTPParser: false,
  };
  return isSecure ? secureRequest(options) : plainRequest(options);
}

type Target = Readonly<Record<'protocol' | 'hostname' | 'port' | 'path', string>>;

/** The last URL. It is parsed once, since it is that of the heartbeats most of the time. */
let last: { readonly url: string; readonly target: Target } | undefined;

/** Returns the parts of a URL that a request is made with. Agents of proxies read the protocol, too. */
function targetOf(url: string): Target {
  if (last?.url === url) return last.target;
  const { protocol, hostname, port, pathname, search } = new URL(url);
  // Without the brackets of an IPv6 address.
  const host = hostname.replace(/^\[|\]$/g, '');
  const target = { protocol, hostname: host, port, path: `${pathname}${search}` };
  last = { url, target };
  return target;
}

function wasKeptTooLong({ reusedSocket }: ClientRequest, error: unknown): boolean {
  const code = codeOf(error);
  return reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** An error of an agent may have no code; it is no bug of ours for that. */
function unanswered(cause: Error): Error {
  return coded(codeOf(cause) ?? 'ERR_NETWORK', { cause }, cause.message);
}

function timeoutError(): DOMException {
  return new DOMException('The deadline has passed', 'TimeoutError');
}

function coded(code: string, options?: ErrorOptions, message = `HTTP failed: ${code}`): Error {
  return Object.assign(new Error(message, options), { code });
}

function headersReadFrom({
  headers,
}: {
  readonly headers: Readonly<Record<string, unknown>>;
}): HttpReply['headers'] {
  const read: Record<string, string> = {};
  for (const name of headersRead) {
    const value = headers[name];
    if (typeof value === 'string') read[name] = value;
  }
  return read;
}

/** Accepts what is cut off, as axios does: its length is verified by HTTP. */
const zlibOptions = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const brotliOptions = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
};

/** Returns the body of an answer after decompression; with an encoding that is not known, as it came. */
function decoded(answer: IncomingMessage): Readable {
  const encoding = answer.headers['content-encoding']?.toLowerCase();
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
    case 'compress':
    case 'x-compress':
      return pipeline(answer, createUnzip(zlibOptions), ignore);
    case 'deflate':
      return pipeline(answer, withZlibHeader(), createUnzip(zlibOptions), ignore);
    case 'br':
      return pipeline(answer, createBrotliDecompress(brotliOptions), ignore);
    case undefined:
    default:
      return answer;
  }
}

/** The stream at the end of a pipeline has its error, too. */
function ignore(): void {}

/** Some servers send "deflate" without the header of zlib (RFC 9110, 8.4.1.2). */
function withZlibHeader(): Transform {
  let isFirst = true;
  return new Transform({
    transform(piece: Buffer, _, done) {
      if (isFirst && piece[0] !== 0x78) this.push(Buffer.of(0x78, 0x9c));
      isFirst = false;
      done(undefined, piece);
    },
  });
}

/**
 * Reads a text. Decodes the pieces as they come: a list of them would take 400 MB for a mebibyte in pieces of
 * one byte. Removes a byte order mark; bytes that are not UTF-8 become U+FFFD.
 * @throws Error with the code `ERR_ANSWER_TOO_LONG`; with the code `ERR_BAD_RESPONSE` and its cause when the
 * answer breaks off or cannot be decompressed
 */
export function bodyOf(answer: Readable, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let decoder: InstanceType<typeof TextDecoder> | undefined;
    let text = '';
    let length = 0;
    answer.on('data', (piece: Uint8Array) => {
      length += piece.length;
      if (length > maxBytes) {
        answer.destroy();
        return reject(coded('ERR_ANSWER_TOO_LONG'));
      }
      decoder ??= new TextDecoder();
      text += decoder.decode(piece, { stream: true });
    });
    answer.on('end', () => resolve(decoder === undefined ? text : text + decoder.decode()));
    answer.on('error', cause => reject(coded('ERR_BAD_RESPONSE', { cause })));
  });
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
    headers: headersOf(extras?.() ?? {}),
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
export function sendable(headers: Readonly<Record<string, unknown>>): Texts {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = Array.isArray(value) ? value.join(', ') : value;
    if (typeof text === 'string') texts[name] = text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
  }
  return texts;
}

/** Returns the headers that are sent: without undefined ones and axios' groups by method. */
export function headersOf({ headers = {} }: AxiosRequestConfig): Record<string, unknown> {
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
 * nothing has to be unsubscribed. A tracer that is set at the time of a request sends it.
 */
export function sendThrough(
  http: HttpService,
  tracing: { readonly tracer?: RequestTracer | undefined } = {},
): Send {
  const send = async (request: HttpRequest): Promise<HttpReply> => {
    request.signal?.throwIfAborted();
    try {
      return replyOf(await firstValueFrom(http.request<string>(configOf(request))));
    } catch (error) {
      throw withoutRequest(error);
    }
  };
  return (request, operation = 'other') => {
    const { tracer } = tracing;
    if (tracer === undefined) return send(request);
    const { method, url } = request;
    return tracer.request({ operation, method, url }, () => send(request));
  };
}

/** Given to HttpService, which would make one for each request: half of what axios costs without it. */
const neverCancelled = axios.CancelToken.source().token;

/** Leaves the body undefined, not null: axios would send the four letters of `null`. */
function configOf(request: HttpRequest): AxiosRequestConfig<string> {
  const { method, url, headers, body, timeoutMs, maxAnswerBytes, signal } = request;
  const config: AxiosRequestConfig<string> = {
    method,
    url,
    headers,
    timeout: timeoutMs,
    maxContentLength: maxAnswerBytes,
    cancelToken: neverCancelled,
  };
  if (body !== undefined) config.data = body;
  if (signal !== undefined) config.signal = signal;
  return config;
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
  return {
    status,
    headers: headersReadFrom({ headers }),
    body: typeof data === 'string' ? data : '',
  };
}
