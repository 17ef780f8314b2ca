import http, { type ClientRequest, type RequestOptions } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';

/** What the hook of an instrumentation sees of a request. */
export type OutgoingRequest = RequestOptions;

/**
 * Makes a span of each outgoing request as @opentelemetry/instrumentation-http does: a child of the active one,
 * whose context goes into the headers. Its attribute `ignored` says what the hook returned.
 */
export function instrumentHttp(
  ignoreOutgoingRequestHook: (request: OutgoingRequest) => boolean,
): void {
  const original = http.request;
  const request = (given: RequestOptions, ...rest: never[]): ClientRequest => {
    const options = { ...given, headers: { ...(given.headers as object) } };
    const attributes = { ignored: ignoreOutgoingRequestHook(options) };
    const { method = 'GET', path = '' } = options;
    const tracer = trace.getTracer('instrumentation-http');
    const span = tracer.startSpan(`${method} ${path}`, { kind: SpanKind.CLIENT, attributes });
    const own = trace.setSpan(context.active(), span);
    propagation.inject(own, options.headers);
    const sent = context.with(own, () => original(options, ...rest));
    const end = () => span.end();
    return sent.on('response', end).on('upgrade', end).on('error', end);
  };
  Object.assign(http, { request });
  syncBuiltinESMExports();
}
