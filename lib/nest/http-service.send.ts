import { ClientRequest } from 'node:http';
import { Readable } from 'node:stream';
import type { HttpService } from '@nestjs/axios';
import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { catchError, firstValueFrom, fromEvent, map, retry, takeUntil, timeout } from 'rxjs';
import type { HttpReply, HttpRequest, Send } from '../protocol/send.js';
import { bodyOf } from './answer-body.js';
import type { Connections, ConnectionSettings } from './connections.js';
import { proxyUnreachable } from './proxy-failure.js';

/** Longest request that is sent, in bytes. */
const maxRequestBytes = 1_048_576;

/**
 * Makes an axios instance of our own, so that neither the application's interceptors nor its defaults
 * touch a heartbeat, nor ours its requests. A new instance starts with the defaults of the process, an
 * application's Authorization header among them: they are taken out.
 */
export function createPrivateAxios(
  connections: Connections,
  { axios: extras }: Pick<ConnectionSettings, 'axios'>,
): ReturnType<typeof axios.create> {
  const instance = axios.create();
  for (const name of Object.keys(instance.defaults))
    Reflect.deleteProperty(instance.defaults, name);
  const { headers, ...extra } = extras?.() ?? {};
  Object.assign(instance.defaults, extra, ours, {
    headers: { common: {}, ...headersOf(headers) },
  });
  instance.interceptors.request.use(config =>
    Object.assign(config, connections.wayTo(config.url ?? '')),
  );
  instance.interceptors.response.use(response => withBody(response));
  return instance;
}

/** What deadlines, errors and credentials stand on; nobody else's options touch it. */
const ours = {
  adapter: 'http',
  auth: undefined,
  baseURL: undefined,
  cancelToken: undefined,
  decompress: true,
  http2Options: undefined,
  httpVersion: undefined, // HTTP/2 would go without our agents, and without what they verify.
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

/** Reads the body before anybody has the answer, so that whoever gives up ends the reading, too. */
async function withBody(response: AxiosResponse<unknown>): Promise<AxiosResponse<unknown>> {
  const { data, config } = response;
  if (data instanceof Readable) response.data = await bodyOf(data, config.maxContentLength ?? 0);
  return response;
}

/** Without those that are undefined, and without axios' groups by method. */
function headersOf(headers: AxiosRequestConfig['headers'] = {}): object {
  const entries = Object.entries(headers).filter(([, value]) => isHeader(value));
  return Object.fromEntries(entries);
}

function isHeader(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/**
 * Sends through an HttpService. A kept connection that the server has just closed is no failure: the
 * request is sent once more, over a new one. The deadline is rxjs' `timeout`, since axios' own does not end an
 * answer that trickles; unsubscribing closes the socket, for the deadline and for an abort alike.
 */
export function sendThrough(http: HttpService, connections: Pick<Connections, 'closeIdle'>): Send {
  return request => {
    const { signal, timeoutMs } = request;
    signal?.throwIfAborted();
    const reply = http.request<string>(axiosRequest(request)).pipe(
      retry({ count: 1, delay: error => overNewConnection(error, connections) }),
      catchError((error: unknown) => {
        throw withoutRequest(ofTheProxy(error));
      }),
      map(replyOf),
      timeout({ first: timeoutMs }),
    );
    return firstValueFrom(signal === undefined ? reply : reply.pipe(takeUntil(aborted(signal))));
  };
}

/**
 * What axios throws holds the request, with all its headers, and would show them wherever it is printed.
 * What an agent throws may have no code; it is no bug of ours for that.
 */
function withoutRequest(error: unknown): unknown {
  if (!axios.isAxiosError<unknown>(error)) return error;
  const { name, message, code = 'ERR_NETWORK', cause } = error;
  return Object.assign(new Error(message, { cause }), { name, code });
}

/** All kept ones are as old as the one that was closed: none of them is tried. */
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

/** Where plain HTTP goes through a proxy, the connection that failed was the one to the proxy. */
function ofTheProxy(error: unknown): unknown {
  if (!axios.isAxiosError<unknown>(error)) return error;
  const { code = '', config } = error;
  const isOfTheNetwork = /^E[A-Z]+(_AGAIN)?$/.test(code) && code !== 'ECONNABORTED';
  return config?.proxy && isOfTheNetwork ? proxyUnreachable(config.proxy, error.cause) : error;
}

function aborted(signal: AbortSignal): ReturnType<typeof fromEvent<Event>> {
  return fromEvent<Event>(signal, 'abort').pipe(
    map(() => {
      throw signal.reason;
    }),
  );
}

/** The body is left undefined, not null: axios sends the four letters of `null` otherwise. */
function axiosRequest(request: HttpRequest): AxiosRequestConfig<string> {
  const { method, url, headers, body, maxAnswerBytes } = request;
  const data = body === undefined ? {} : { data: body };
  return { method, url, headers: { ...headers }, maxContentLength: maxAnswerBytes, ...data };
}

function replyOf({ status, headers, data }: AxiosResponse<unknown>): HttpReply {
  return {
    status,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
    ),
    body: typeof data === 'string' ? data : '',
  };
}
