import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { Registration, RegistrationState } from '../index.js';
import type { OpenTelemetry } from './open-telemetry.js';

interface OpenSpan {
  readonly span: Span;
  readonly phase: Phase;
  readonly context: Context;
  /** Whether the last request of the phase failed. */
  hasFailed: boolean;
}

/** What a registration does while it has no lease: works towards one, or gives one up. */
type Phase = 'register' | 'unregister';

/**
 * The spans of a registration: from its beginning, or from the loss of the lease, to the lease, and that of the
 * removal. Each begins a trace of its own, which holds the requests that are made meanwhile.
 */
export class RegistrationSpans {
  #open: OpenSpan | undefined;

  constructor(
    private readonly api: OpenTelemetry,
    private readonly tracer: Tracer,
    private readonly registration: Pick<Registration, 'snapshot'>,
  ) {}

  /** Where the requests of the phase belong; undefined between two phases. */
  get context(): Context | undefined {
    return this.#open?.context;
  }

  /** Notes how the last request of the phase ended. */
  noteRequest(hasFailed: boolean): void {
    if (this.#open !== undefined) this.#open.hasFailed = hasFailed;
  }

  /** Notes a state as soon as it begins. */
  enter(state: RegistrationState): void {
    const phase = phaseOf(state);
    if (phase === this.#open?.phase) return;
    this.#end(state);
    if (phase !== undefined) this.#begin(phase, state);
  }

  #begin(phase: Phase, state: RegistrationState): void {
    const { ROOT_CONTEXT, trace } = this.api;
    const name = state === 'lost' ? 'recover' : phase;
    const { lastError, registrations } = this.registration.snapshot();
    const cause = trace.getActiveSpan()?.spanContext();
    const span = this.tracer.startSpan(
      `servicecomb ${name}`,
      {
        attributes: {
          'servicecomb.registrations': registrations,
          ...(state === 'lost' && lastError !== null && { 'error.type': lastError.code }),
        },
        links: cause === undefined ? [] : [{ context: cause }],
      },
      ROOT_CONTEXT,
    );
    this.#open = { span, phase, context: trace.setSpan(ROOT_CONTEXT, span), hasFailed: false };
  }

  #end(state: RegistrationState): void {
    if (this.#open === undefined) return;
    const { span, hasFailed } = this.#open;
    this.#open = undefined;
    const { serviceId, instanceId } = this.registration.snapshot();
    span.setAttributes({
      'servicecomb.state': state,
      'servicecomb.instance.id': instanceId,
      ...(serviceId !== null && { 'servicecomb.service.id': serviceId }),
    });
    if (hasFailed) span.setStatus({ code: this.api.SpanStatusCode.ERROR });
    span.end();
  }
}

function phaseOf(state: RegistrationState): Phase | undefined {
  switch (state) {
    case 'registering':
    case 'lost':
    case 'blocked':
      return 'register';
    case 'leaving':
      return 'unregister';
    case 'registered':
    case 'degraded':
    case 'at-risk':
    case 'idle':
    case 'left':
    case 'disabled':
      return undefined;
  }
}
