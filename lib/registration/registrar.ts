import { isServiceCombError, type ServiceCombError } from '../errors.js';
import type { AddressBook } from '../protocol/address-book.js';
import { isNoSuchService, isRetriable } from '../protocol/failures.js';
import type { CallOptions } from '../protocol/channel.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { InstanceRef } from '../protocol/wire.js';
import type { Clock } from './clock.js';
import { type Lease, leaseLengthMs, remainingMs } from './lease.js';
import {
  type DesiredInstance,
  differences,
  isElsewhere,
  type Listing,
  type Posted,
} from './listing.js';
import { failureOutcome, type Outcome } from './outcome.js';
import type { Pace } from './pace.js';
import type { RecordWrites } from './record-writes.js';
import { type Drift, type Holding, type Joining, nextRequest } from './state.js';

/** What a read-back is made with. */
interface Confirming {
  readonly state: Joining;
  readonly listing: Listing;
  readonly signal: AbortSignal;
}

/** What a record is kept with. */
interface Keeping {
  readonly lease: Lease;
  readonly listing: Listing;
  readonly signal: AbortSignal;
}

/**
 * Makes the one request that a state asks for, and says how it ended. A failed request is an outcome;
 * only an abort and a bug are thrown.
 */
export class Registrar {
  constructor(
    private readonly client: ServiceCenterClient,
    private readonly addresses: Pick<AddressBook, 'hasAnother'>,
    private readonly clock: Clock,
    private readonly pace: Pace,
    private readonly writes: RecordWrites,
  ) {}

  /** Makes the request that is next. */
  request(state: Joining | Holding, listing: Listing, signal: AbortSignal): Promise<Outcome> {
    return outcomeOf(() =>
      state.phase === 'joining'
        ? this.#join(state, listing, signal)
        : this.#keep(state, listing, signal),
    );
  }

  /** The next step to a lease. */
  async #join(state: Joining, listing: Listing, signal: AbortSignal): Promise<Outcome> {
    const { step } = state;
    switch (step.kind) {
      case 'service':
        return this.resolveService(listing, signal);
      case 'post':
        return this.#post(step.serviceId, listing, signal);
      case 'confirm':
        return this.#confirm(step, { state, listing, signal });
      case 'clear':
        return this.#clear(step.serviceId, listing, signal);
    }
  }

  /** The next request of one who has a lease: a heartbeat, a read-back, or a repair. */
  async #keep(state: Holding, listing: Listing, signal: AbortSignal): Promise<Outcome> {
    const { lease, drift } = state;
    const { kind } = nextRequest(state);
    if (kind === 'beat') return this.#renew(lease, signal);
    if (kind === 'verify' || drift === undefined) return this.#verify(lease, listing, signal);
    return this.#repair(drift, { lease, listing, signal });
  }

  /**
   * Finds the id of the service, and creates the service when there is none.
   *
   * @throws ServiceCombError
   */
  async resolveService(
    { microservice, tags }: Pick<Listing, 'microservice' | 'tags'>,
    signal?: AbortSignal,
  ): Promise<Extract<Outcome, { kind: 'service-known' }>> {
    try {
      const serviceId = await this.client.findServiceId(microservice, { signal });
      return { kind: 'service-known', serviceId, created: false };
    } catch (error) {
      if (!isNoSuchService(error)) throw error;
    }
    const serviceId = await this.client.registerMicroservice(microservice, { tags, signal });
    return { kind: 'service-known', serviceId, created: true };
  }

  async #post(serviceId: string, { instance }: Listing, signal: AbortSignal): Promise<Outcome> {
    const sentAt = this.clock.now();
    await this.client.registerInstance(serviceId, instance, { signal });
    return { kind: 'posted', serviceId, sentAt, instance };
  }

  /**
   * Reads the record back: a POST with a living id leaves the stored record as it was (behaviour S2),
   * and only the stored healthCheck tells how long the lease is. A read-back that fails, or that this
   * account may not make, leaves a lease that is to be verified.
   */
  async #confirm(posted: Posted, { state, listing, signal }: Confirming): Promise<Outcome> {
    const { serviceId, sentAt, instance } = posted;
    const ref = { serviceId, instanceId: instance.instanceId };
    const asked = { ref, renewedAt: sentAt, lengthMs: leaseLengthMs(instance.healthCheck) };
    try {
      const stored = await this.client.getInstance(ref, this.#fresh(signal));
      if (state.previous === undefined && differences(stored, instance).length > 0)
        return { kind: 'stale', serviceId, stored };
      const lengthMs = leaseLengthMs(stored.healthCheck ?? instance.healthCheck);
      const verified = !isElsewhere(instance, listing.instance);
      return { kind: 'granted', lease: { ...asked, lengthMs }, verified };
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error)) throw error;
      return { kind: 'granted', lease: asked, verified: false };
    }
  }

  async #clear(serviceId: string, { instance }: Listing, signal: AbortSignal): Promise<Outcome> {
    const ref = { serviceId, instanceId: instance.instanceId };
    try {
      await this.client.unregisterInstance(ref, { signal });
    } catch (error) {
      if (!isServiceCombError(error) || failureOutcome(error).kind !== 'instance-gone') throw error;
    }
    return { kind: 'cleared', serviceId };
  }

  async #renew(lease: Lease, signal: AbortSignal): Promise<Outcome> {
    const { ref } = lease;
    const sentAt = this.clock.now();
    const leftMs = remainingMs(lease, sentAt);
    const timeoutMs = this.pace.lateBeatTimeoutMs(leftMs, this.addresses.hasAnother ? 2 : 1);
    try {
      await this.client.sendHeartbeat(ref, { signal, timeoutMs });
    } catch (error) {
      if (!isServiceCombError(error) || failureOutcome(error).kind !== 'instance-gone') throw error;
      // The answer may be about a predecessor's lease: the record tells whether ours is gone.
      await this.client.getInstance(ref, this.#fresh(signal));
      return { kind: 'doubtful', error };
    }
    return { kind: 'renewed', sentAt, tookMs: this.clock.now() - sentAt };
  }

  /**
   * A heartbeat's 200 is no proof of a renewal (behaviour S3): look whether the record is there, and is
   * ours. While a change of ours is on its way there, the record says nothing.
   */
  async #verify({ ref }: Lease, { instance }: Listing, signal: AbortSignal): Promise<Outcome> {
    const { serviceId } = ref;
    try {
      const stored = await this.client.getInstance(ref, this.#fresh(signal));
      if (isElsewhere(stored, instance)) return { kind: 'stale', serviceId, stored };
      const fields = differences(stored, instance);
      if (fields.length === 0)
        return {
          kind: 'verified',
          lengthMs: leaseLengthMs(stored.healthCheck ?? instance.healthCheck),
        };
      if (this.writes.areUnderWay) return { kind: 'unverified' };
      return { kind: 'drifted', serviceId, stored, fields };
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error)) throw error;
      return { kind: 'unverified' };
    }
  }

  /** Writes what differs; a record that the registry will not have changed is replaced. */
  async #repair(drift: Drift, { lease, listing, signal }: Keeping): Promise<Outcome> {
    const { ref } = lease;
    if (this.writes.areUnderWay) return { kind: 'unverified' };
    try {
      await this.writes.inTurn(async () => {
        const options = { signal, timeoutMs: this.pace.beatTimeoutMs };
        for (const write of this.#writesFor(drift, ref, listing.instance))
          await this.writes.apart(() => write(options), signal);
      });
      return { kind: 'repaired' };
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error)) throw error;
      if (isRetriable(error)) return { kind: 'unverified' };
      return { kind: 'stale', serviceId: ref.serviceId, stored: drift.stored };
    }
  }

  #writesFor(
    { fields }: Drift,
    ref: InstanceRef,
    { status = 'UP', properties = {} }: DesiredInstance,
  ) {
    const writes: ((options: CallOptions) => Promise<void>)[] = [];
    if (fields.includes('status'))
      writes.push(options => this.client.setInstanceStatus(ref, status, options));
    if (fields.includes('properties'))
      writes.push(options => this.client.setInstanceProperties(ref, properties, options));
    return writes;
  }

  #fresh(signal: AbortSignal): CallOptions & { noCache: true } {
    return { noCache: true, signal, timeoutMs: this.pace.beatTimeoutMs };
  }
}

async function outcomeOf(request: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await request();
  } catch (error) {
    if (!isServiceCombError(error)) throw error;
    return failureOutcome(error);
  }
}

function isGone(error: ServiceCombError): boolean {
  const { kind } = failureOutcome(error);
  return kind === 'instance-gone' || kind === 'service-gone';
}
