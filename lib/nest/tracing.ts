import { Injectable } from '@nestjs/common';
import type { Candidate } from '../discovery/candidate.js';
import type { Attempt } from '../discovery/provider.js';
import type { RequestTracer } from '../protocol/channel.js';

/**
 * Where a tracer is set. Nothing is traced, and nothing done for it, while there is none.
 * `nestjs-servicecomb/tracing` sets that of OpenTelemetry.
 */
@Injectable()
export class Tracing {
  tracer: RegistryTracer | undefined;
}

/** Sees the requests to the registry and the calls by name. Its methods must not throw. */
export interface RegistryTracer extends RequestTracer {
  /** Runs work that belongs to no request, and returns what it returns: the connection for changes is opened. */
  background<T>(work: () => T): T;
  /** Begins a call by name; undefined when it is not to be traced. */
  call(call: TracedCall): CallTracer | undefined;
}

/** The tracer of one call by name. */
export interface CallTracer {
  /** Sends an attempt with these headers besides those that it has, and returns what `send` returns. */
  attempt<Answer>(
    attempt: TracedAttempt,
    send: (headers: Readonly<Record<string, string>>) => Promise<Answer>,
  ): Promise<Answer>;
  /** Notes that the call has failed before it was sent anywhere. */
  unsent(error: unknown): void;
}

/** A call by name. */
export interface TracedCall {
  readonly serviceName: string;
  readonly method: string;
  /** The headers of the call, before those that axios and the tracer add. */
  readonly headers: { has(name: string): boolean };
}

/** An attempt of a call by name. */
export interface TracedAttempt {
  readonly candidate: Candidate;
  readonly attempt: Attempt;
  /** The whole URL, with the address of the instance. */
  readonly url: string;
}
