import type { HttpService } from '@nestjs/axios';
import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { firstValueFrom, fromEvent, map, takeUntil, timeout } from 'rxjs';
import type { HttpReply, HttpRequest, Send } from '../protocol/send.js';

/** Longest answer that is read, in bytes: the registry's own are far shorter. */
const maxAnswerBytes = 1_048_576;

/**
 * Makes an axios instance of our own, so that neither the application's interceptors nor its defaults
 * touch a heartbeat, nor ours its requests. A new instance starts with the defaults of the process, an
 * application's Authorization header among them: they are taken out.
 */
export function createPrivateAxios(): ReturnType<typeof axios.create> {
  const instance = axios.create();
  for (const name of Object.keys(instance.defaults))
    Reflect.deleteProperty(instance.defaults, name);
  Object.assign(instance.defaults, {
    adapter: 'http',
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
 * Sends through an HttpService. The deadline is rxjs' `timeout`, since axios' own does not end an
 * answer that trickles; unsubscribing closes the socket, for the deadline and for an abort alike.
 */
export function sendThrough(http: HttpService): Send {
  return request => {
    const { signal, timeoutMs } = request;
    signal?.throwIfAborted();
    const reply = http
      .request<string>(axiosRequest(request))
      .pipe(map(replyOf), timeout({ first: timeoutMs }));
    return firstValueFrom(signal === undefined ? reply : reply.pipe(takeUntil(aborted(signal))));
  };
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
