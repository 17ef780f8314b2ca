import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';
import { propertyOf } from '../../lib/errors.js';
import type { Cleanup } from './test-app.js';

/** A request that this process has begun, whether it was sent or not. */
export interface BegunRequest {
  readonly method: string;
  /** Host and port. */
  readonly host: string;
  readonly path: string;
  isAnswered: boolean;
}

/** All requests that this process makes to one host, as Node itself tells them. */
export function requestsTo(cleanup: Cleanup, host: string): readonly BegunRequest[] {
  const begun: BegunRequest[] = [];
  const byRequest = new WeakMap<ClientRequest, BegunRequest>();
  const onStart = (message: unknown): void => {
    const request = propertyOf(message, 'request');
    if (!(request instanceof ClientRequest) || request.getHeader('host') !== host) return;
    const { method, path } = request;
    const one = { method, path, host, isAnswered: false };
    byRequest.set(request, one);
    begun.push(one);
  };
  const onAnswer = (message: unknown): void => {
    const request = propertyOf(message, 'request');
    const one = request instanceof ClientRequest ? byRequest.get(request) : undefined;
    if (one !== undefined) one.isAnswered = true;
  };
  subscribe('http.client.request.start', onStart);
  subscribe('http.client.response.finish', onAnswer);
  cleanup.add(async () => {
    unsubscribe('http.client.request.start', onStart);
    unsubscribe('http.client.response.finish', onAnswer);
  });
  return begun;
}
