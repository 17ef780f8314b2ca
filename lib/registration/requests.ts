import { isServiceCombError, type ServiceCombError } from '../errors.js';
import type { AddressBook } from '../protocol/address-book.js';
import type { CallOptions } from '../protocol/channel.js';
import { failureKind, isNoSuchService, isRetriable } from '../protocol/failures.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { Clock } from './clock.js';
import type { Pace } from './pace.js';
import { driftOf, isElsewhere, type RegistryRecord, type WriteQueue } from './record.js';
import { type Lease, leaseLengthMs, type NextRequest, remainingMs } from './state.js';
import type { Outcome } from './transition.js';

/** The collaborators of {@link Requests}. */
export interface RequestsParts {
  readonly client: ServiceCenterClient;
  readonly addresses: Pick<AddressBook, 'hasAnother'>;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly writes: WriteQueue;
}

/**
 * Makes the one request that a state asks for, and returns how it ended. A failed request is an
 * outcome; only an abort and a bug are thrown.
 */
export class Requests {
  constructor(private readonly parts: RequestsParts) {}

  /** Makes the request. */
  async make(request: NextRequest, record: RegistryRecord, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#make(request, record, signal);
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      return { kind: 'failed', error, during: request.kind };
    }
  }

  #make(request: NextRequest, record: RegistryRecord, signal: AbortSignal): Promise<Outcome> {
    switch (request.kind) {
      case 'find-service':
        return this.findService(record, signal);
      case 'post':
        return this.#post(request.serviceId, record, signal);
      case 'read-posted':
        return this.#readPosted(request, record, signal);
      case 'remove-stale':
        return this.#removeStale(request.serviceId, record, signal);
      case 'heartbeat':
        return this.#heartbeat(request.lease, signal);
      case 'read-back':
        return this.#readBack(request.lease, record, signal);
      case 'repair':
        return this.#repair(request, record, signal);
    }
  }

  /**
   * Finds the id of the service, and creates the service when there is none.
   * @throws ServiceCombError
   */
  async findService(
    { microservice, tags }: RegistryRecord,
    signal: AbortSignal,
  ): Promise<Extract<Outcome, { kind: 'service-found' }>> {
    const { client } = this.parts;
    try {
      const serviceId = await client.findServiceId(microservice, { signal });
      return { kind: 'service-found', serviceId, created: false };
    } catch (error) {
      if (!isNoSuchService(error)) throw error;
    }
    const serviceId = await client.registerMicroservice(microservice, { tags, signal });
    return { kind: 'service-found', serviceId, created: true };
  }

  async #post(
    serviceId: string,
    { instance }: RegistryRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const sentAt = this.parts.clock.now();
    await this.parts.client.registerInstance(serviceId, instance, { signal });
    return { kind: 'posted', serviceId, sentAt, instance };
  }

  /**
   * Reads the posted record: a POST with the id of a living instance leaves the stored record as it was
   * (behaviour S2), and only the stored healthCheck shows how long the lease is. If it cannot be read,
   * or this account may not read it, there is a lease, which is read back later.
   */
  async #readPosted(
    { serviceId, sentAt, instance, previous }: Extract<NextRequest, { kind: 'read-posted' }>,
    record: RegistryRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const ref = { serviceId, instanceId: instance.instanceId };
    const asked = { ref, renewedAt: sentAt, lengthMs: leaseLengthMs(instance.healthCheck) };
    try {
      const stored = await this.parts.client.getInstance(ref, this.#fresh(signal));
      const isOurs = !isElsewhere(stored, instance) && driftOf(stored, instance).length === 0;
      // A registration replaces one stale record at most.
      if (!isOurs && previous === undefined) return { kind: 'stale', serviceId, stored };
      const lengthMs = leaseLengthMs(stored.healthCheck ?? instance.healthCheck);
      // The desired endpoints may have changed while the record was posted.
      const isReadBack = !isElsewhere(instance, record.instance);
      return { kind: 'granted', lease: { ...asked, lengthMs }, isReadBack };
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error)) throw error;
      return { kind: 'granted', lease: asked, isReadBack: false, error };
    }
  }

  async #removeStale(
    serviceId: string,
    { instance }: RegistryRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const ref = { serviceId, instanceId: instance.instanceId };
    try {
      await this.parts.client.unregisterInstance(ref, { signal });
    } catch (error) {
      if (!isServiceCombError(error) || failureKind(error) !== 'instance-gone') throw error;
    }
    return { kind: 'stale-removed', serviceId };
  }

  async #heartbeat(lease: Lease, signal: AbortSignal): Promise<Outcome> {
    const { client, addresses, clock, pace } = this.parts;
    const sentAt = clock.now();
    const attempts = addresses.hasAnother ? 2 : 1;
    const timeoutMs = pace.lateHeartbeatTimeoutMs(remainingMs(lease, sentAt), attempts);
    try {
      await client.sendHeartbeat(lease.ref, { signal, timeoutMs });
    } catch (error) {
      if (!isServiceCombError(error) || failureKind(error) !== 'instance-gone') throw error;
      return this.#confirm(lease, error, signal);
    }
    return { kind: 'renewed', sentAt, tookMs: clock.now() - sentAt };
  }

  /** "No such instance" may be about the lease of an earlier process: the record shows whether ours is gone. */
  async #confirm({ ref }: Lease, answer: ServiceCombError, signal: AbortSignal): Promise<Outcome> {
    try {
      await this.parts.client.getInstance(ref, this.#fresh(signal));
      return { kind: 'contradicted', error: answer };
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      return { kind: 'failed', error, ...(isGone(error) ? {} : { unconfirmed: answer }) };
    }
  }

  /**
   * Reads the record back, since a heartbeat's 200 does not prove a renewal (behaviour S3). While a
   * change of ours is on its way to the registry, differences in status and properties mean nothing.
   */
  async #readBack(
    { ref }: Lease,
    { instance }: RegistryRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { serviceId } = ref;
    try {
      const stored = await this.parts.client.getInstance(ref, this.#fresh(signal));
      if (isElsewhere(stored, instance)) return { kind: 'stale', serviceId, stored };
      const fields = driftOf(stored, instance);
      const lengthMs = leaseLengthMs(stored.healthCheck ?? instance.healthCheck);
      if (fields.length === 0) return { kind: 'intact', lengthMs };
      if (this.parts.writes.areUnderWay) return { kind: 'not-read-back' };
      return { kind: 'drifted', serviceId, stored, fields };
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error)) throw error;
      return { kind: 'not-read-back', error };
    }
  }

  /** Writes the fields that differ. A record that the registry does not let us change is replaced. */
  async #repair(
    { lease: { ref }, drift }: Extract<NextRequest, { kind: 'repair' }>,
    { instance: { status = 'UP', properties = {} } }: RegistryRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { client, pace, writes } = this.parts;
    if (writes.areUnderWay) return { kind: 'not-read-back' };
    const options = { signal, timeoutMs: pace.heartbeatTimeoutMs };
    const write = {
      status: () => client.setInstanceStatus(ref, status, options),
      properties: () => client.setInstanceProperties(ref, properties, options),
    };
    try {
      await writes.inTurn(async () => {
        for (const field of drift.fields) await writes.apart(write[field], signal);
      });
      return { kind: 'repaired' };
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error)) throw error;
      if (isRetriable(error)) return { kind: 'not-read-back', error };
      return { kind: 'stale', serviceId: ref.serviceId, stored: drift.stored };
    }
  }

  #fresh(signal: AbortSignal): CallOptions & { noCache: true } {
    return { noCache: true, signal, timeoutMs: this.parts.pace.heartbeatTimeoutMs };
  }
}

function isGone(error: ServiceCombError): boolean {
  const kind = failureKind(error);
  return kind === 'instance-gone' || kind === 'service-gone';
}
