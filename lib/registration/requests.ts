import { isServiceCombError, type ServiceCombError } from '../errors.js';
import type { AddressBook } from '../protocol/address-book.js';
import type { CallOptions } from '../protocol/channel.js';
import { failureKind, isGone, isRetriable, refusals } from '../protocol/failures.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { InstanceRef, Microservice, MicroserviceInstance } from '../protocol/wire.js';
import type { Clock } from '../background/clock.js';
import type { Outcome } from './outcome.js';
import type { Pace } from './pace.js';
import { isElsewhere, isMisplaced } from './ownership.js';
import type { DesiredRecord, RegistryRecord } from './record.js';
import { type Lease, leaseLengthMs, type NextRequest, remainingMs } from './state.js';
import type { Schemas } from './schemas.js';
import { findService } from './service.js';
import { type RecordField, valuesOf, type WriteQueue } from './writes.js';

/** The collaborators of {@link Requests}. */
export interface RequestsParts {
  readonly client: ServiceCenterClient;
  readonly addresses: AddressBook;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly writes: WriteQueue;
  readonly schemas: Schemas;
}

const doubtful: Pick<CallOptions, 'secondOpinion'> = { secondOpinion: refusals };
/** Nodes that have a store each cannot vouch for one another's records. */
const doubtfulRefusals: typeof doubtful = { secondOpinion: ['refused'] };

/**
 * Makes the one request that a state asks for, and returns how it ended. A failed request is an
 * outcome; only an abort and a bug are thrown.
 */
export class Requests {
  /** When the last heartbeat was sent, to whichever address. */
  #heartbeatSentAt = -Infinity;
  /** Whether the nodes were compared since the last registration. */
  #areCompared = false;

  constructor(private readonly parts: RequestsParts) {}

  /** Makes the request. */
  async make(request: NextRequest, record: DesiredRecord, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#make(request, record, signal);
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      return { kind: 'failed', error, during: request.kind };
    }
  }

  #make(request: NextRequest, record: DesiredRecord, signal: AbortSignal): Promise<Outcome> {
    switch (request.kind) {
      case 'find-service':
        return this.findService(record.current, signal);
      case 'upload-schemas':
        return this.#uploadSchemas(request, signal);
      case 'post':
        return this.#post(request.serviceId, record.current, signal);
      case 'read-posted':
        return this.#readPosted(request, record, signal);
      case 'remove-stale':
        return this.#removeStale(request.serviceId, record.current, signal);
      case 'read-holder':
        return this.#readHolder(request.serviceId, record, signal);
      case 'heartbeat':
        return this.#heartbeat(request.lease, record, signal);
      case 'read-back':
        return this.#readBack(request.lease, record, signal);
    }
  }

  /**
   * Finds the service, creates it when there is none, and updates it when it differs.
   * @throws ServiceCombError
   */
  async findService(
    record: RegistryRecord,
    signal: AbortSignal,
    opinions: Pick<CallOptions, 'secondOpinion'> = doubtful,
  ): Promise<Extract<Outcome, { kind: 'service-found' }>> {
    const { client, schemas } = this.parts;
    const microservice = withSchemas(record.microservice, schemas.ids);
    const found = await findService(client, { ...record, microservice }, { ...opinions, signal });
    return { kind: 'service-found', ...found };
  }

  async #uploadSchemas(
    { serviceId, attempt }: Extract<NextRequest, { kind: 'upload-schemas' }>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    await this.parts.schemas.uploadBefore(serviceId, attempt, signal);
    // The POST, which was due before, is the next request now.
    return { kind: 'elapsed' };
  }

  /** A registry that answers with another id means that one. */
  async #post(
    serviceId: string,
    { instance }: RegistryRecord,
    signal: AbortSignal,
    opinions: Pick<CallOptions, 'secondOpinion'> = doubtful,
  ): Promise<Outcome> {
    const sentAt = this.parts.clock.now();
    const { client } = this.parts;
    const options = { ...opinions, signal };
    const instanceId = await client.registerInstance(serviceId, instance, options);
    return { kind: 'posted', serviceId, sentAt, instance: { ...instance, instanceId } };
  }

  /**
   * Reads the posted record: a POST with the id of a living instance leaves the stored record as it was
   * (behaviour S2), and only the stored healthCheck shows how long the lease is. If it cannot be read,
   * or this account may not read it, there is a lease, which is read back later.
   */
  async #readPosted(
    { serviceId, sentAt, instance, previous }: Extract<NextRequest, { kind: 'read-posted' }>,
    record: DesiredRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const ref = { serviceId, instanceId: instance.instanceId };
    const asked = { ref, renewedAt: sentAt, lengthMs: leaseLengthMs(instance.healthCheck) };
    try {
      const stored = await this.parts.client.getInstance(ref, this.#fresh(signal));
      const { own } = record;
      if (record.isTakenOver(stored)) return { kind: 'taken-over', serviceId, holder: stored };
      const isElse = isMisplaced(stored, instance, own);
      const { taken, unwritten } = record.compare(stored);
      // The record of an earlier process at the same place. Properties may be the registry's own.
      const isOlder = own === undefined && isOlderThan(stored, instance);
      // A registration replaces one stale record at most.
      if ((isElse || isOlder) && previous === undefined) {
        keepOperatorsWord(stored, record);
        return { kind: 'stale', serviceId, stored };
      }
      record.noteOwn({ asked: instance, stored });
      const lease = {
        ...asked,
        lengthMs: leaseLengthMs(stored.healthCheck ?? instance.healthCheck),
      };
      // The desired endpoints may have changed while the record was posted.
      const isReadBack = !isElsewhere(instance, record.current.instance) && unwritten.length === 0;
      await this.#compareNodes(ref, stored, signal);
      return { kind: 'granted', lease, stored, isReadBack, isRewritten: isElse, taken };
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error)) throw error;
      const unread = { stored: undefined, isReadBack: false, isRewritten: false, taken: {} };
      return { kind: 'granted', lease: asked, error, ...unread };
    }
  }

  /** Whether another node is there that could not be asked for the record. */
  get isComparisonDue(): boolean {
    return !this.#areCompared && this.parts.addresses.hasOther;
  }

  /** Reads the record at another node as well: nodes may have a store each, by mistake or while parted. */
  async #compareNodes(
    ref: InstanceRef,
    { timestamp }: MicroserviceInstance,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, addresses } = this.parts;
    this.#areCompared = false;
    if (addresses.opinionBeside(client.address) === undefined) return addresses.noteSplit(false);
    try {
      const { timeoutMs } = this.#fresh(signal);
      const options = { noCache: true, elsewhere: true, signal, timeoutMs };
      const its = await client.getInstance(ref, options);
      this.#areCompared = true;
      addresses.noteSplit(its.timestamp !== timestamp);
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      this.#areCompared = isGone(error);
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

  /** Returns whether another process holds our id, as far as the registry says. */
  async isTakenOver(ref: InstanceRef, record: DesiredRecord): Promise<boolean> {
    try {
      const stored = await this.parts.client.getInstance(ref, this.#fresh());
      return record.isTakenOver(stored, this.parts.addresses.isSplit);
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      return false;
    }
  }

  /** Reads the record of the process that holds our id. When it is gone, ours is posted. */
  async #readHolder(
    serviceId: string,
    record: DesiredRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const ref = { serviceId, instanceId: record.current.instance.instanceId };
    try {
      const holder = await this.parts.client.getInstance(ref, this.#fresh(signal));
      if (record.isTakenOver(holder)) return { kind: 'taken-over', serviceId, holder };
    } catch (error) {
      if (!isServiceCombError(error) || failureKind(error) !== 'instance-gone') throw error;
    }
    return { kind: 'holder-gone', serviceId };
  }

  async #heartbeat(lease: Lease, record: DesiredRecord, signal: AbortSignal): Promise<Outcome> {
    const { client, addresses, clock, pace } = this.parts;
    const { isSplit } = addresses;
    const { secondOpinion } = isSplit ? doubtfulRefusals : doubtful;
    const sentAt = clock.now();
    const timeoutMs = pace.lateHeartbeatTimeoutMs(remainingMs(lease, sentAt));
    const turn = () => this.#heartbeatTurn(signal);
    try {
      await client.sendHeartbeat(lease.ref, { secondOpinion, signal, timeoutMs, turn });
      return { kind: 'renewed', sentAt, tookMs: clock.now() - sentAt };
    } catch (error) {
      if (!isServiceCombError(error) || !isGone(error)) throw error;
      return isSplit
        ? await this.#join(lease, record.current, signal)
        : await this.#confirm(lease, error, signal);
    } finally {
      addresses.takeTurns();
    }
  }

  /**
   * Registers at a node that has a store of its own and not this instance: a POST renews the lease, too. A
   * node that takes no instance is wrong rather than apart: another one is asked for the renewal.
   */
  async #join(lease: Lease, record: RegistryRecord, signal: AbortSignal): Promise<Outcome> {
    const { addresses, client, clock, pace } = this.parts;
    const { address } = client;
    let sentAt = clock.now();
    try {
      const { serviceId } = await this.findService(record, signal, doubtfulRefusals);
      sentAt = clock.now();
      await this.#post(serviceId, record, signal, doubtfulRefusals);
    } catch (error) {
      if (!isServiceCombError(error) || isRetriable(error)) throw error;
      this.#areCompared = false;
      addresses.noteSplit(false);
      addresses.failed(address, error);
      sentAt = clock.now();
      // It waits for its turn after the heartbeat that was refused, and has its own time after that.
      const turnMs = 2 * pace.heartbeatGapMs;
      const timeoutMs = turnMs + pace.lateHeartbeatTimeoutMs(remainingMs(lease, sentAt));
      const turn = () => this.#heartbeatTurn(signal);
      await client.sendHeartbeat(lease.ref, { ...doubtful, signal, timeoutMs, turn });
    }
    return { kind: 'renewed', sentAt, tookMs: clock.now() - sentAt };
  }

  /** "No such instance" may be about the lease of an earlier process: the record shows whether ours is gone. */
  async #confirm({ ref }: Lease, answer: ServiceCombError, signal: AbortSignal): Promise<Outcome> {
    if (failureKind(answer) !== 'instance-gone') throw answer;
    try {
      await this.parts.client.getInstance(ref, this.#fresh(signal));
      return { kind: 'contradicted', error: answer };
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      return { kind: 'failed', error, ...(isGone(error) ? {} : { unconfirmed: answer }) };
    }
  }

  /**
   * Keeps heartbeats apart, whether one is repeated at another address, with another token, or is the
   * next attempt: a registry that is in trouble is not helped by several at once.
   */
  #heartbeatTurn(signal: AbortSignal): Promise<void> | undefined {
    const { clock, pace } = this.parts;
    const now = clock.now();
    const sentAt = Math.max(now, this.#heartbeatSentAt + pace.heartbeatGapMs);
    this.#heartbeatSentAt = sentAt;
    return sentAt === now ? undefined : clock.delay(sentAt - now, signal);
  }

  /**
   * Reads the record back, since a heartbeat's 200 does not prove a renewal (behaviour S3). While a
   * change of ours is on its way to the registry, differences in status and properties mean nothing.
   */
  async #readBack(lease: Lease, record: DesiredRecord, signal: AbortSignal): Promise<Outcome> {
    const { ref } = lease;
    const { serviceId } = ref;
    const { addresses, client, writes } = this.parts;
    try {
      const stored = await client.getInstance(ref, this.#fresh(signal));
      const { own, current } = record;
      if (record.isTakenOver(stored, addresses.isSplit))
        return { kind: 'taken-over', serviceId, holder: stored };
      if (isMisplaced(stored, current.instance, own)) {
        keepOperatorsWord(stored, record);
        return { kind: 'stale', serviceId, stored };
      }
      record.noteOwn({ asked: current.instance, stored });
      if (this.isComparisonDue) await this.#compareNodes(ref, stored, signal);
      const { taken, undone, unwritten } = record.compare(stored);
      const lengthMs = leaseLengthMs(stored.healthCheck ?? current.instance.healthCheck);
      const isAsItShouldBe = unwritten.length === 0 && Object.keys(taken).length === 0;
      if (!isAsItShouldBe && writes.areUnderWay) return { kind: 'not-read-back' };
      if (unwritten.length === 0) return { kind: 'intact', lengthMs, taken };
      // What somebody else has set is taken over first, so that our writes cannot undo it.
      if (Object.keys(taken).length > 0) return { kind: 'written', fields: [], taken };
      const isWritten = await this.#write(unwritten, ref, { record, signal });
      return isWritten
        ? { kind: 'written', fields: undone, taken }
        : { kind: 'stale', serviceId, stored };
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error)) throw error;
      return { kind: 'not-read-back', error };
    }
  }

  /** Resolves with whether the registry lets us write: a record that it does not is replaced. */
  async #write(
    unwritten: readonly RecordField[],
    ref: InstanceRef,
    { record, signal }: { readonly record: DesiredRecord; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const { heartbeatTimeoutMs: timeoutMs } = this.parts.pace;
    try {
      await record.write(unwritten, ref, { signal, timeoutMs });
      return true;
    } catch (error) {
      if (!isServiceCombError(error) || isGone(error) || isRetriable(error)) throw error;
      return false;
    }
  }

  #fresh(signal?: AbortSignal): CallOptions & { noCache: true } {
    return { ...doubtful, noCache: true, signal, timeoutMs: this.parts.pace.heartbeatTimeoutMs };
  }
}

/** A service that is created declares the schemas that are to be uploaded, besides those of the options. */
function withSchemas(microservice: Microservice, ids: readonly string[]): Microservice {
  if (ids.length === 0) return microservice;
  return { ...microservice, schemas: [...new Set([...(microservice.schemas ?? []), ...ids])] };
}

/**
 * Takes over what somebody else has changed in our own record, before it is replaced because it leads where we
 * are no more. Nothing is taken from the record of another process.
 */
function keepOperatorsWord(stored: MicroserviceInstance, record: DesiredRecord): void {
  const { own } = record;
  if (own === undefined || isElsewhere(stored, own.stored)) return;
  record.takeOver(record.compare(stored).taken);
}

/**
 * Returns whether a record that was read after the first POST is an earlier one, which that POST has
 * merely renewed (behaviour S2). The registry may add properties of its own.
 */
function isOlderThan(stored: MicroserviceInstance, posted: MicroserviceInstance): boolean {
  const [values, wanted] = [valuesOf(stored), valuesOf(posted)];
  const properties = Object.entries(wanted.properties);
  return (
    values.status !== wanted.status ||
    properties.some(([name, value]) => values.properties[name] !== value)
  );
}
