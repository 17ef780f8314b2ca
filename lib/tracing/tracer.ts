import { EventEmitter } from 'node:events';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import {
  type CallTracer,
  isServiceCombError,
  type RegistryTracer,
  type TracedAttempt,
  type TracedCall,
  type TracedRequest,
} from '../index.js';
import { errorType, methodAttributes, peerAttributes, urlAttributes } from './attributes.js';
import { type OpenTelemetry, suppressed } from './open-telemetry.js';
import type { RegistrationSpans } from './registration-spans.js';

/** What is traced besides the registration. */
export interface TracerSettings {
  readonly heartbeats: boolean;
  readonly calls: boolean;
}

/** The name that Service Center registers itself under. */
const registryName = 'SERVICECENTER';

/** Operations that are no part of a registration, though they may be sent while it is under way. */
const besideRegistration: ReadonlySet<string> = new Set([
  'findInstances',
  'queryInstances',
  'getHealth',
  'getReadiness',
  'getVersion',
]);

/**
 * Makes spans of requests to the registry and of calls by name. Whatever it sends is sent in a context in which
 * tracing is suppressed, so that an instrumentation of HTTP makes no second span of it: no span of ours is ever
 * the parent of one of the application.
 */
export class OpenTelemetryTracer implements RegistryTracer {
  readonly #background: Context;

  constructor(
    private readonly api: OpenTelemetry,
    private readonly tracer: Tracer,
    private readonly spans: Pick<RegistrationSpans, 'context' | 'noteRequest'>,
    private readonly settings: TracerSettings,
  ) {
    this.#background = suppressed(api, api.ROOT_CONTEXT);
  }

  /** A request that is made within a span is one of the application's own, and left to its instrumentation. */
  request<Reply extends { readonly status: number }>(
    request: TracedRequest,
    send: () => Promise<Reply>,
  ): Promise<Reply> {
    if (this.api.trace.getActiveSpan() !== undefined) return send();
    const parent = this.#parentOf(request);
    return parent === undefined ? this.background(send) : this.#traced(request, parent, send);
  }

  background<T>(work: () => T): T {
    return this.api.context.with(this.#background, work);
  }

  /** Begins a call by name, in the context of its caller. */
  call(call: TracedCall): CallTracer | undefined {
    if (!this.settings.calls) return undefined;
    const caller = this.api.context.active();
    const startTime = Date.now();
    return {
      attempt: (attempt, send) => this.#attempt(call, caller, attempt, send),
      unsent: error => this.#unsent(call, caller, startTime, error),
    };
  }

  /** Returns where the span of a request belongs; undefined when it gets none. */
  #parentOf({ operation }: TracedRequest): Context | undefined {
    const { context } = this.spans;
    if (context !== undefined && !besideRegistration.has(operation)) return context;
    const isHeartbeat = operation === 'heartbeat' && this.settings.heartbeats;
    return isHeartbeat ? this.api.ROOT_CONTEXT : undefined;
  }

  async #traced<Reply extends { readonly status: number }>(
    { operation, method, url }: TracedRequest,
    parent: Context,
    send: () => Promise<Reply>,
  ): Promise<Reply> {
    const attributes = {
      ...methodAttributes(method).attributes,
      ...urlAttributes(url),
      ...peerAttributes(registryName),
      'servicecomb.operation': operation,
    };
    const span = this.#clientSpan(`${method} ${operation}`, attributes, parent);
    try {
      const reply = await this.background(send);
      this.#answered(span, reply.status);
      this.spans.noteRequest(reply.status >= 400);
      return reply;
    } catch (error) {
      this.#failed(span, error);
      this.spans.noteRequest(true);
      throw error;
    } finally {
      span.end();
    }
  }

  async #attempt<Answer>(
    call: TracedCall,
    caller: Context,
    { candidate, attempt, url }: TracedAttempt,
    send: (headers: Readonly<Record<string, string>>) => Promise<Answer>,
  ): Promise<Answer> {
    const { word, attributes } = methodAttributes(call.method);
    const all = {
      ...attributes,
      ...urlAttributes(url),
      ...peerAttributes(call.serviceName),
      ...(attempt.number > 1 && { 'http.request.resend_count': attempt.number - 1 }),
      'servicecomb.provider.instance_id': candidate.instance.instanceId,
    };
    const span = this.#clientSpan(word, all, caller);
    try {
      const headers = this.#headersOf(call, this.api.trace.setSpan(caller, span));
      const answer = await this.api.context.with(suppressed(this.api, caller), () => send(headers));
      this.#answered(span, statusOf(answer));
      this.#release(answer, caller);
      return answer;
    } catch (error) {
      const { response } = Object(error);
      this.#release(response, caller);
      const status = statusOf(response);
      if (status !== undefined) this.#answered(span, status);
      else this.#failed(span, attempt.signal.aborted ? attempt.signal.reason : error);
      throw error;
    } finally {
      span.end();
    }
  }

  /** Nothing was sent, so that the span is not one of a client. */
  #unsent(
    { serviceName, method }: TracedCall,
    caller: Context,
    startTime: number,
    error: unknown,
  ): void {
    const attributes = {
      ...methodAttributes(method).attributes,
      ...peerAttributes(serviceName),
    };
    const span = this.tracer.startSpan('servicecomb call', { attributes, startTime }, caller);
    this.#failed(span, error);
    span.end();
  }

  #clientSpan(name: string, attributes: Attributes, parent: Context): Span {
    return this.tracer.startSpan(name, { kind: this.api.SpanKind.CLIENT, attributes }, parent);
  }

  /** Returns the headers that carry a context on; none where the call has one of them already. */
  #headersOf({ headers }: TracedCall, context: Context): Readonly<Record<string, string>> {
    const { propagation } = this.api;
    if (propagation.fields().some(field => headers.has(field))) return {};
    const added: Record<string, string> = {};
    propagation.inject(context, added);
    return added;
  }

  #answered(span: Span, status: number | undefined): void {
    if (status === undefined) return;
    span.setAttribute('http.response.status_code', status);
    if (status < 400) return;
    span.setAttribute('error.type', String(status));
    span.setStatus({ code: this.api.SpanStatusCode.ERROR });
  }

  /** Only messages of this library are known to contain no secret. */
  #failed(span: Span, error: unknown): void {
    span.setAttribute('error.type', errorType(error));
    const { ERROR } = this.api.SpanStatusCode;
    span.setStatus(
      isServiceCombError(error) ? { code: ERROR, message: error.message } : { code: ERROR },
    );
  }

  /** The listeners of a stream are the application's: they are called in its context. */
  #release(answer: unknown, caller: Context): void {
    const { data } = Object(answer);
    if (data instanceof EventEmitter) this.api.context.bind(caller, data);
  }
}

function statusOf(answer: unknown): number | undefined {
  const { status }: { readonly status?: unknown } = Object(answer);
  return typeof status === 'number' ? status : undefined;
}
