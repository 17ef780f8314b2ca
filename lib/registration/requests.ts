import { isServiceCombError, type ServiceCombError } from '../errors.js';
import type { AddressBook } from '../protocol/address-book.js';
import type { CallOptions } from '../protocol/channel.js';
import {
  failureKind,
  isGone,
  isNoSuchService,
  isRetriable,
  refusals,
} from '../protocol/failures.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { InstanceRef } from '../protocol/wire.js';
import type { Clock } from './clock.js';
import type { Pace } from './pace.js';
import { driftOf, isElsewhere, type RegistryRecord, type WriteQueue } from './record.js';
import { type Lease, leaseLengthMs, type NextRequest, remainingMs } from './state.js';
import type { Outcome } from './transition.js';

/** The collaborators of {@link Requests}. */
export interface RequestsParts {
  readonly client: ServiceCenterClient;
  readonly addresses: AddressBook;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly writes: WriteQueue;
}

/** Between two heartbeats, whatever address they go to. */
const heartbeatGapMs = 250;

const doubtful: Pick<CallOptions, 'secondOpinion'> = { secondOpinion: refusals };
/** Nodes that have a store each cannot vouch for one another's records. */
const doubtfulRefusals: typeof doubtful = { secondOpinion: ['refused'] };

/**
 * Makes the one request that a state asks for, and returns how it ended. A failed request is an
 * outcome; only an abort and a bug are thrown.
 */
export class Requests {
  #heartbeatSentAt = -Infinity;

  constructor(private readonly parts: RequestsParts) {}

  /** Makes the request. */
  async make(request: NextRequest, record: RegistryRecord, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#make(request, record, signal);
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      return { kind: 'failed', error };
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
        return this.#heartbeat(request.lease, record, signal);
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
    opinions: Pick<CallOptions, 'secondOpinion'> = doubtful,
  ): Promise<Extract<Outcome, { kind: 'service-found' }>> {
    const { client } = this.parts;
    try {
      const serviceId = await client.findServiceId(microservice, { ...opinions, signal });
      return { kind: 'service-found', serviceId, created: false };
    } catch (error) {
      if (!isNoSuchService(error)) throw error;
    }
    const options = { ...opinions, tags, signal };
    const serviceId = await client.registerMicroservice(microservice, options);
    return { kind: 'service-found', serviceId, created: true };
  }

  async #post(
    serviceId: string,
    { instance }: RegistryRecord,
    signal: AbortSignal,
    opinions: Pick<CallOptions, 'secondOpinion'> = doubtful,
  ): Promise<Outcome> {
    const sentAt = this.parts.clock.now();
    await this.parts.client.registerInstance(serviceId, instance, { ...opinions, signal });
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
      await this.#compareNodes(ref, signal);
      return { kind: 'granted', lease: { ...asked, lengthMs }, isReadBack };
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error)) throw error;
      return { kind: 'granted', lease: asked, isReadBack: false };
    }
  }

  /** Reads the record at another node as well: nodes may have a store each, by mistake or while parted. */
  async #compareNodes(ref: InstanceRef, signal: AbortSignal): Promise<void> {
    const { client, addresses } = this.parts;
    if (addresses.opinionBeside(client.address) === undefined) return addresses.noteSplit(false);
    try {
      const { timeoutMs } = this.#fresh(signal);
      await client.getInstance(ref, { noCache: true, elsewhere: true, signal, timeoutMs });
      addresses.noteSplit(false);
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      addresses.noteSplit(isGone(error));
    }
  }

  async #removeStale(
    serviceId: string,
    { instance }: RegistryRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const ref = { serviceId, instanceId: instance.instanceId };
    try {
      await this.parts.client.unregisterInstance(ref, { ...doubtful, signal });
    } catch (error) {
      if (!isServiceCombError(error) || failureKind(error) !== 'instance-gone') throw error;
    }
    return { kind: 'stale-removed', serviceId };
  }

  async #heartbeat(lease: Lease, record: RegistryRecord, signal: AbortSignal): Promise<Outcome> {
    const { client, addresses, clock, pace } = this.parts;
    const { isSplit } = addresses;
    const opinions = isSplit ? doubtfulRefusals : doubtful;
    const sentAt = clock.now();
    const timeoutMs = pace.lateHeartbeatTimeoutMs(remainingMs(lease, sentAt));
    const turn = () => this.#heartbeatTurn(signal);
    try {
      await client.sendHeartbeat(lease.ref, { ...opinions, signal, timeoutMs, turn });
      return { kind: 'renewed', sentAt, tookMs: clock.now() - sentAt };
    } catch (error) {
      if (!isServiceCombError(error) || !isGone(error)) throw error;
      return isSplit
        ? await this.#joined(record, signal)
        : await this.#doubted(error, lease, signal);
    } finally {
      addresses.takeTurns();
    }
  }

  /** Registers at a node that has a store of its own and not this instance: a POST renews the lease, too. */
  async #joined(record: RegistryRecord, signal: AbortSignal): Promise<Outcome> {
    const { clock } = this.parts;
    const { serviceId } = await this.findService(record, signal, doubtfulRefusals);
    const sentAt = clock.now();
    await this.#post(serviceId, record, signal, doubtfulRefusals);
    return { kind: 'renewed', sentAt, tookMs: clock.now() - sentAt };
  }

  /** The answer may be about the lease of an earlier process: the record shows whether ours is gone. */
  async #doubted(error: ServiceCombError, { ref }: Lease, signal: AbortSignal): Promise<Outcome> {
    if (failureKind(error) !== 'instance-gone') throw error;
    await this.parts.client.getInstance(ref, this.#fresh(signal));
    return { kind: 'contradicted', error };
  }

  async #heartbeatTurn(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    const waitMs = this.#heartbeatSentAt + heartbeatGapMs - clock.now();
    if (waitMs > 0) await clock.delay(waitMs, signal);
    signal.throwIfAborted();
    this.#heartbeatSentAt = clock.now();
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
      return { kind: 'not-read-back' };
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
      if (isRetriable(error)) return { kind: 'not-read-back' };
      return { kind: 'stale', serviceId: ref.serviceId, stored: drift.stored };
    }
  }

  #fresh(signal: AbortSignal): CallOptions & { noCache: true } {
    return { ...doubtful, noCache: true, signal, timeoutMs: this.parts.pace.heartbeatTimeoutMs };
  }
}
