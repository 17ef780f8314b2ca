import { Agent, ClientRequest } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { HttpService } from '@nestjs/axios';
import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { firstValueFrom, fromEvent, map, retry, takeUntil, timeout } from 'rxjs';
import type { HttpReply, HttpRequest, Send } from '../protocol/send.js';

/** Longest answer that is read, in bytes: the registry's own are far shorter. */
const maxAnswerBytes = 1_048_576;

/** An idle connection is given up after 50 s: the server closes its own after 60 s (etc/conf/app.yaml). */
const kept = { keepAlive: true, timeout: 50_000, maxFreeSockets: 4 };

/**
 * Connections of our own, kept from one heartbeat to the next. Their number has no bound, so that no
 * heartbeat waits behind an application's slow reads.
 */
export class Connections {
  readonly httpAgent = new Agent(kept);
  readonly httpsAgent = new SecureAgent(kept);

  /** Closes those that are not in use. */
  closeIdle(): void {
    for (const { freeSockets } of [this.httpAgent, this.httpsAgent])
      for (const sockets of Object.values(freeSockets))
        for (const socket of sockets ?? []) socket.destroy();
  }
}

/**
 * Makes an axios instance of our own, so that neither the application's interceptors nor its defaults
 * touch a heartbeat, nor ours its requests. A new instance starts with the defaults of the process, an
 * application's Authorization header among them: they are taken out.
 */
export function createPrivateAxios({
  httpAgent,
  httpsAgent,
}: Connections): ReturnType<typeof axios.create> {
  const instance = axios.create();
  for (const name of Object.keys(instance.defaults))
    Reflect.deleteProperty(instance.defaults, name);
  Object.assign(instance.defaults, {
    adapter: 'http',
    httpAgent,
    httpsAgent,
    headers: { common: {} },
    maxRedirects: 0,
    proxy: false,
    maxContentLength: maxAnswerBytes,
    maxBodyLength: maxAnswerBytes,
    responseType: 'text',
    transformRequest: [],
    transformResponse: [],
    validateStatus: () => true,
  });
  return instance;
}

/**
 * Sends through an HttpService. A kept connection that the server has just closed is no failure: the
 * request is sent once more, over a new one. The deadline is rxjs' `timeout`, since axios' own does not end an
 * answer that trickles; unsubscribing closes the socket, for the deadline and for an abort alike.
 */
export function sendThrough(http: HttpService, connections: Connections): Send {
  return request => {
    const { signal, timeoutMs } = request;
    signal?.throwIfAborted();
    const reply = http
      .request<string>(axiosRequest(request))
      .pipe(
        retry({ count: 1, delay: error => overNewConnection(error, connections) }),
        map(replyOf),
        timeout({ first: timeoutMs }),
      );
    return firstValueFrom(signal === undefined ? reply : reply.pipe(takeUntil(aborted(signal))));
  };
}

/** All kept ones are as old as the one that was closed: none of them is tried. */
function overNewConnection(error: unknown, connections: Connections): Promise<void> {
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
  return fromEvent<Event>(signal, 'abort').pipe(
    map(() => {
      throw signal.reason;
    }),
  );
}

/** The body is left undefined, not null: axios sends the four letters of `null` otherwise. */
function axiosRequest({ method, url, headers, body }: HttpRequest): AxiosRequestConfig<string> {
  return { method, url, headers: { ...headers }, ...(body === undefined ? {} : { data: body }) };
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
