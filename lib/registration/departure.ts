import { isServiceCombError, type ServiceCombError, ServiceCenterTimeoutError } from '../errors.js';
import { type RegistryFact, RegistryEvents } from '../events/events.js';
import { failureKind } from '../protocol/failures.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { InstanceRef } from '../protocol/wire.js';
import type { Clock } from './clock.js';

/** How a removal ended. */
export type Departure =
  | { readonly kind: 'removed'; readonly confirmed: boolean }
  | { readonly kind: 'kept'; readonly error: ServiceCombError };

/** States a departure as the fact that is told. */
export function departureFact(departure: Departure): RegistryFact {
  if (departure.kind === 'kept')
    return {
      name: RegistryEvents.InstanceUnregisterFailed,
      payload: { error: departure.error },
    };
  const { confirmed } = departure;
  return { name: RegistryEvents.InstanceUnregistered, payload: { confirmed } };
}

const attempts = 3;
const attemptTimeoutMs = 1_500;
const pauseMs = 100;
const lastTryMs = 300;

/** What a removal works with. */
export interface DepartureContext {
  readonly client: ServiceCenterClient;
  readonly clock: Clock;
  /** When the budget ends, on the monotonic clock. */
  readonly deadline: number;
  /**
   * Whether a registration was cut off and may still land: "no such instance" is no proof then, and
   * the removal is sent once more.
   */
  readonly mayStillLand: boolean;
}

/**
 * Removes an instance: up to three tries of 1.5 s each within the budget. An absent one is removed. When
 * a registration may still land, the tries are spread over the budget, the last one just before its end.
 */
export async function depart(ref: InstanceRef, context: DepartureContext): Promise<Departure> {
  const { clock, deadline, mayStillLand } = context;
  let departure = await remove(ref, context);
  for (let attempt = 2; attempt <= attempts; attempt += 1) {
    const isLast = attempt === attempts;
    const pause = departure.kind === 'kept' ? pauseMs : untilLanded(deadline - clock.now(), isLast);
    if (isFinal(departure, mayStillLand) || clock.now() + pause >= deadline) break;
    await clock.delay(pause);
    departure = await remove(ref, context);
  }
  return departure;
}

/** Half of what is left, then all but a moment: the later the try, the more has landed before it. */
function untilLanded(leftMs: number, isLast: boolean): number {
  return Math.max(pauseMs, isLast ? leftMs - lastTryMs : leftMs / 2);
}

function isFinal(departure: Departure, mayStillLand: boolean): boolean {
  return departure.kind === 'removed' && (departure.confirmed || !mayStillLand);
}

async function remove(
  ref: InstanceRef,
  { client, clock, deadline, mayStillLand }: DepartureContext,
): Promise<Departure> {
  const leftMs = Math.max(1, deadline - clock.now());
  // Half of what is left: a request that fails over takes its deadline twice.
  const timeoutMs = Math.max(1, Math.min(attemptTimeoutMs, Math.floor(leftMs / 2)));
  // A login may have to come first, and has a deadline of its own.
  const budget = new AbortController();
  const ended = new AbortController();
  const late = new ServiceCenterTimeoutError('unregisterInstance', client.address, timeoutMs);
  void clock.delay(leftMs, ended.signal).then(() => budget.abort(late));
  try {
    await client.unregisterInstance(ref, { timeoutMs, signal: budget.signal });
    return { kind: 'removed', confirmed: true };
  } catch (error) {
    if (!isServiceCombError(error)) throw error;
    const kind = failureKind(error);
    return kind === 'instance-gone' || kind === 'service-gone'
      ? { kind: 'removed', confirmed: !mayStillLand }
      : { kind: 'kept', error };
  } finally {
    ended.abort();
  }
}
