import {
  type AttributeValue,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** A span that has ended, as a test looks at it. */
export interface RecordedSpan {
  readonly name: string;
  /** Who has made it: this library, or the test for the application. */
  readonly by: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Name of its parent; undefined for a root. */
  readonly parent: string | undefined;
  readonly parentId: string | undefined;
  readonly attributes: Readonly<Record<string, AttributeValue | undefined>>;
  readonly status: string;
  readonly message: string | undefined;
  readonly links: readonly string[];
  readonly startMs: number;
  readonly durationMs: number;
}

/** The SDK of OpenTelemetry as an application sets it up, with an exporter that keeps the spans in memory. */
export class TraceRecorder {
  readonly #exporter = new InMemorySpanExporter();
  readonly #application = 'application';

  constructor() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    const spanProcessors = [new SimpleSpanProcessor(this.#exporter)];
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  }

  /** The spans that have ended, in that order. */
  get spans(): readonly RecordedSpan[] {
    const all = this.#exporter.getFinishedSpans();
    const names = new Map(all.map(span => [span.spanContext().spanId, span.name]));
    return all.map(span => recorded(span, names));
  }

  forget(): void {
    this.#exporter.reset();
  }

  /** Runs an action in a span of the application. */
  within<T>(name: string, action: (span: Span) => Promise<T>): Promise<T> {
    return trace.getTracer(this.#application).startActiveSpan(name, async span => {
      try {
        return await action(span);
      } finally {
        span.end();
      }
    });
  }
}

function recorded(span: ReadableSpan, names: ReadonlyMap<string, string>): RecordedSpan {
  const { traceId, spanId } = span.spanContext();
  const parentId = span.parentSpanContext?.spanId;
  const inMs = ([seconds, nanoseconds]: readonly [number, number]) =>
    seconds * 1_000 + nanoseconds / 1e6;
  return {
    name: span.name,
    by: span.instrumentationScope.name,
    kind: SpanKind[span.kind],
    traceId,
    spanId,
    parent: parentId === undefined ? undefined : (names.get(parentId) ?? 'not ended'),
    parentId,
    attributes: span.attributes,
    status: SpanStatusCode[span.status.code],
    message: span.status.message,
    links: span.links.map(link => link.context.spanId),
    startMs: inMs(span.startTime),
    durationMs: inMs(span.duration),
  };
}
