import { isServiceCombError, type ServiceCombError, ServiceCenterTimeoutError } from '../errors.js';
import { type PendingEvent, RegistryEvents } from '../events.js';
import type { CallOptions } from '../protocol/channel.js';
import {
  failureKind,
  isGone,
  isRetriable,
  isTokenRefused,
  refusals,
} from '../protocol/failures.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { InstanceRef, MicroserviceInstance } from '../protocol/wire.js';
import { type Clock, within } from '../background/clock.js';
import type { Outcome } from './outcome.js';
import type { Pace } from './pace.js';
import type { DesiredRecord } from './record.js';

/** A record that a POST may have created, so that leave() knows what to remove. */
export interface PostedRecord {
  readonly ref: InstanceRef;
  /**
   * Whether the registry has confirmed the POST. An unconfirmed one may still land: "no such instance"
   * proves nothing then, and the removal is sent again.
   */
  readonly isConfirmed: boolean;
}

/** Returns what may be stored after a POST; undefined when there is nothing to remove. */
export function afterPost(
  posted: PostedRecord,
  outcome: Outcome,
  registrations: number,
): PostedRecord | undefined {
  if (outcome.kind === 'posted') {
    const { serviceId, instance } = outcome;
    const ref = { serviceId, instanceId: instance.instanceId };
    return { ref, isConfirmed: true };
  }
  if (outcome.kind !== 'failed') return posted;
  const kind = failureKind(outcome.error);
  const isRefused = kind === 'refused' || kind === 'service-gone';
  // An instance that was registered before may be listed although its new POST was refused.
  return isRefused && registrations === 0 ? undefined : posted;
}

/** The collaborators of a removal. */
export interface RemovalContext {
  readonly client: ServiceCenterClient;
  /** Whether the nodes have a store each, so that two of them list the instance. @default false */
  readonly isSplit?: boolean;
  readonly clock: Clock;
  readonly pace: Pace;
  /** When the budget ends, on the monotonic clock. */
  readonly deadline: number;
  /** Our registration, by which a successor's is told from it. */
  readonly record?: Pick<DesiredRecord, 'own' | 'isTakenOver'> | undefined;
}

type Removal =
  | { readonly kind: 'removed'; readonly isConfirmed: boolean }
  | { readonly kind: 'kept'; readonly error: ServiceCombError };

const attempts = 3;

/**
 * Removes an instance with up to three attempts within the budget, and resolves with the event to emit.
 * An absent instance counts as removed, and so does one whose id another process holds by now: its record
 * is left alone. When a registration may still land, or another login has to be waited for, the attempts are
 * spread over the budget, the last one just before its end.
 */
export async function removeInstance(
  posted: PostedRecord,
  context: RemovalContext,
): Promise<PendingEvent> {
  const { clock, pace, deadline } = context;
  let removal = await attempt(posted, context);
  for (let count = 2; count <= attempts && !isFinal(removal, posted); count += 1) {
    const isQuick = removal.kind === 'kept' && !isTokenRefused(removal.error);
    const delay = isQuick
      ? pace.removalRetryDelayMs
      : pace.spreadRemovalDelay(deadline - clock.now(), count === attempts);
    if (clock.now() + delay >= deadline) break;
    await clock.delay(delay);
    // A record that cannot be read is removed at last: nobody else may do so before the end of its lease.
    const isBlind = count === attempts && removal.kind === 'kept';
    removal = await attempt(posted, isBlind ? { ...context, record: undefined } : context);
  }
  return removal.kind === 'kept'
    ? { name: RegistryEvents.InstanceUnregisterFailed, payload: { error: removal.error } }
    : { name: RegistryEvents.InstanceUnregistered, payload: { confirmed: removal.isConfirmed } };
}

function isFinal(removal: Removal, posted: PostedRecord): boolean {
  return removal.kind === 'removed' && (removal.isConfirmed || posted.isConfirmed);
}

async function attempt(posted: PostedRecord, context: RemovalContext): Promise<Removal> {
  const { isConfirmed } = posted;
  const { client, clock, pace, deadline } = context;
  const leftMs = Math.max(1, deadline - clock.now());
  const timeoutMs = pace.removalTimeoutMs(leftMs);
  // A login may have to come first, and has a deadline of its own.
  const budget = new AbortController();
  const options = { timeoutMs, signal: budget.signal, secondOpinion: refusals };
  const request = remove(posted, context, options);
  const ended = request.catch(() => undefined);
  await within(leftMs, ended, clock);
  budget.abort(new ServiceCenterTimeoutError('unregisterInstance', client.address, timeoutMs));
  try {
    await request;
    return { kind: 'removed', isConfirmed: true };
  } catch (error) {
    if (!isServiceCombError(error)) throw error;
    return isGone(error) ? { kind: 'removed', isConfirmed } : { kind: 'kept', error };
  }
}

/** Removes the record unless it is another process's: one that leaves late must not remove its successor. */
async function remove(
  { ref }: PostedRecord,
  { client, record, isSplit = false }: RemovalContext,
  options: CallOptions,
): Promise<void> {
  if (record?.own?.stored.timestamp !== undefined) {
    const stored = await readIfThere(client, ref, options);
    if (stored !== undefined && record.isTakenOver(stored, isSplit)) return;
  }
  if (!isSplit) return client.unregisterInstance(ref, options);
  const alone = { ...options, secondOpinion: [] };
  await Promise.all([
    removeIfThere(client, ref, alone),
    removeIfThere(client, ref, { ...alone, elsewhere: true }),
  ]);
}

async function removeIfThere(
  client: ServiceCenterClient,
  ref: InstanceRef,
  options: CallOptions,
): Promise<void> {
  try {
    await client.unregisterInstance(ref, options);
  } catch (error) {
    if (!isServiceCombError(error) || !isGone(error)) throw error;
  }
}

/** Resolves with undefined when there is no record to look at; the removal decides then. */
async function readIfThere(
  client: ServiceCenterClient,
  ref: InstanceRef,
  options: CallOptions,
): Promise<MicroserviceInstance | undefined> {
  try {
    return await client.getInstance(ref, { ...options, noCache: true });
  } catch (error) {
    if (!isServiceCombError(error) || isRetriable(error)) throw error;
    return undefined;
  }
}
