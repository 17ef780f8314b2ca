import {
  type ErrorSummary,
  isServiceCombError,
  propertyOf,
  SchemaMismatchError,
  type ServiceCombError,
  summaryOf,
} from '../errors.js';
import { type PendingEvent, RegistryEvents } from '../events.js';
import { Background, type BackgroundWork } from '../background/background.js';
import type { Clock } from '../background/clock.js';
import type { CallOptions } from '../protocol/channel.js';
import { ErrorCode } from '../protocol/error-codes.js';
import { isRetriable } from '../protocol/failures.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import {
  contentsOf,
  type SchemaContent,
  type SchemaDocuments,
  sha256,
} from '../protocol/schema-documents.js';
import type { InstanceRef } from '../protocol/wire.js';
import type { Pace } from './pace.js';

/**
 * What is done about a schema that the registry stores with another content: `overwrite` replaces it, `ignore`
 * leaves it as it is, `fail` does not register the instance.
 */
export type SchemaMismatch = 'overwrite' | 'ignore' | 'fail';

/** The schemas at one moment. */
export interface SchemasSnapshot {
  /** How many there are to upload. */
  readonly count: number;
  /** Whether the registry has been found to store them all, or been made to. */
  readonly areUploaded: boolean;
  /** Why they could not be uploaded; null when nothing has failed since they were. */
  readonly lastError: ErrorSummary | null;
}

/** The collaborators of {@link Schemas}. */
export interface SchemasParts {
  readonly client: Pick<ServiceCenterClient, 'listSchemas' | 'getSchema' | 'setSchema'>;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly onMismatch: SchemaMismatch;
  /** Returns the registered instance; undefined when none is registered. */
  readonly registered: () => InstanceRef | undefined;
  readonly emit: (event: PendingEvent) => void;
}

/** Uploads under way together: some are large, and a heartbeat must not wait for them. */
const mostUploads = 4;

/**
 * Uploads the schemas of the service before its instance is registered: consumers in other languages read them
 * to call it. Only those are sent whose SHA-256 is not the one that the registry stores.
 *
 * A failure does not keep the instance out, unless it is a mismatch that `fail` is set for. It is repeated with
 * each attempt to register, and in the background once there is a lease.
 */
export class Schemas implements BackgroundWork {
  #contents: readonly SchemaContent[] = [];
  /** The service that has them all, or whose mismatch is left as it is. */
  #settledFor: string | undefined;
  /** The attempt to register in which they could not be uploaded, so that it goes on without. */
  #skipped: { readonly serviceId: string; readonly attempt: number } | undefined;
  #failures = 0;
  #error: ServiceCombError | undefined;
  /** When the next upload in the background is due. */
  #dueAt = -Infinity;
  readonly #background = new Background();

  constructor(private readonly parts: SchemasParts) {}

  /** Ids of all schemas, in their order. A service that is created declares them. */
  get ids(): readonly string[] {
    return this.#contents.map(({ schemaId }) => schemaId);
  }

  /** Null when there are none. */
  get snapshot(): SchemasSnapshot | null {
    if (this.#contents.length === 0) return null;
    const error = this.#error;
    return Object.freeze({
      count: this.#contents.length,
      areUploaded: this.#settledFor !== undefined && error === undefined,
      lastError: error === undefined ? null : summaryOf(error),
    });
  }

  /**
   * Sets the schemas, instead of those before. They are uploaded with the next attempt to register, or with
   * the next tick when there is a lease.
   * @throws RangeError when there are too many, or an id or a content cannot be sent; nothing changes then
   */
  set(documents: SchemaDocuments): void {
    this.#contents = contentsOf(documents);
    this.#background.stop();
    this.#settledFor = undefined;
    this.#skipped = undefined;
    this.#failures = 0;
    this.#error = undefined;
    this.#dueAt = -Infinity;
  }

  /**
   * Whether they have to be uploaded before the instance of that service is registered.
   * @param attempt changes with each attempt to register
   */
  areDueFor(serviceId: string, attempt: number): boolean {
    if (this.#contents.length === 0 || this.#settledFor === serviceId) return false;
    return this.#skipped?.serviceId !== serviceId || this.#skipped.attempt !== attempt;
  }

  /**
   * Uploads what the registry lacks, before the POST of that attempt.
   * @throws SchemaMismatchError with `fail`, when the registry stores another content; nothing is sent then
   */
  async uploadBefore(serviceId: string, attempt: number, signal: AbortSignal): Promise<void> {
    const error = await this.#upload(serviceId, { signal });
    if (error === undefined) return;
    if (error.code === 'ERR_SERVICECOMB_SCHEMA_MISMATCH') throw error;
    this.#skipped = { serviceId, attempt };
    // The attempt to register follows at once; the next upload is in the background, if that succeeds.
    this.#failed(error, this.#retryDelay(error));
  }

  /** Repeats a failed upload, and uploads what was set after the registration. */
  tick(): number {
    this.#background.throwPending();
    const ref = this.parts.registered();
    if (ref === undefined || this.#contents.length === 0) return Infinity;
    if (this.#settledFor === ref.serviceId) return Infinity;
    const { clock, pace } = this.parts;
    if (this.#dueAt > clock.now()) return this.#dueAt;
    this.#dueAt = clock.now() + pace.learningRetryDelay();
    this.#background.start(signal => this.#uploadBeside(ref.serviceId, signal));
    return this.#dueAt;
  }

  stop(): void {
    this.#background.stop();
  }

  async #uploadBeside(serviceId: string, signal: AbortSignal): Promise<void> {
    const error = await this.#upload(serviceId, { signal });
    if (error === undefined) return;
    const isMismatch = error.code === 'ERR_SERVICECOMB_SCHEMA_MISMATCH';
    if (isMismatch) this.#settledFor = serviceId;
    this.#failed(error, isMismatch ? null : this.#retryDelay(error));
  }

  #retryDelay(error: ServiceCombError): number {
    const { pace } = this.parts;
    const failures = this.#failures + 1;
    return isRetriable(error) ? pace.registrationRetryDelay(failures, error) : pace.blockedDelay();
  }

  #failed(error: ServiceCombError, retryInMs: number | null): void {
    this.#failures += 1;
    this.#error = error;
    if (retryInMs !== null) this.#dueAt = this.parts.clock.now() + retryInMs;
    const payload = {
      error,
      failures: this.#failures,
      retryInMs: retryInMs === null ? null : Math.round(retryInMs),
    };
    this.parts.emit({ name: RegistryEvents.SchemasFailed, payload });
  }

  /**
   * Resolves with what kept them from being uploaded, if anything did. When others have been set meanwhile, what
   * became of these is of no interest: those are due.
   */
  async #upload(serviceId: string, options: CallOptions): Promise<ServiceCombError | undefined> {
    const contents = this.#contents;
    try {
      const { missing, differing } = await this.#compare(serviceId, contents, options);
      const { onMismatch } = this.parts;
      if (onMismatch === 'fail' && differing.length > 0)
        throw new SchemaMismatchError(idsOf(differing));
      const uploaded = onMismatch === 'overwrite' ? [...missing, ...differing] : missing;
      await inGroups(uploaded, mostUploads, content =>
        this.parts.client.setSchema(serviceId, content, options),
      );
      if (contents === this.#contents)
        this.#succeeded(serviceId, uploaded, onMismatch === 'ignore' ? differing : []);
      return undefined;
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      return contents === this.#contents ? error : undefined;
    }
  }

  #succeeded(
    serviceId: string,
    uploaded: readonly SchemaContent[],
    kept: readonly SchemaContent[],
  ): void {
    const isNews = uploaded.length > 0 || kept.length > 0 || this.#error !== undefined;
    this.#settledFor = serviceId;
    this.#failures = 0;
    this.#error = undefined;
    if (!isNews) return;
    const payload = { uploaded: idsOf(uploaded), kept: idsOf(kept), count: this.#contents.length };
    this.parts.emit({ name: RegistryEvents.SchemasUploaded, payload });
  }

  async #compare(
    serviceId: string,
    contents: readonly SchemaContent[],
    options: CallOptions,
  ): Promise<{
    readonly missing: readonly SchemaContent[];
    readonly differing: readonly SchemaContent[];
  }> {
    const listed = await this.parts.client.listSchemas(serviceId, options);
    const stored = new Map(listed.map(schema => [schema.schemaId, schema.summary]));
    const missing: SchemaContent[] = [];
    const differing: SchemaContent[] = [];
    for (const content of contents) {
      const { schemaId } = content;
      const summary =
        stored.get(schemaId) ??
        (stored.has(schemaId)
          ? await this.#storedSummary(serviceId, schemaId, options)
          : undefined);
      if (summary === undefined) missing.push(content);
      else if (summary !== content.summary) differing.push(content);
    }
    return { missing, differing };
  }

  /**
   * The SHA-256 of a schema that is listed without one: it was declared and never uploaded, or uploaded by a client
   * that sends none. Undefined where it is uploaded in any case.
   */
  async #storedSummary(
    serviceId: string,
    schemaId: string,
    options: CallOptions,
  ): Promise<string | undefined> {
    if (this.parts.onMismatch === 'overwrite') return undefined;
    try {
      return sha256(await this.parts.client.getSchema(serviceId, schemaId, options));
    } catch (error) {
      const isAbsent = propertyOf(error, 'errorCode') === ErrorCode.SchemaNotExists;
      if (!isAbsent) throw error;
      return undefined;
    }
  }
}

function idsOf(contents: readonly SchemaContent[]): readonly string[] {
  return contents.map(({ schemaId }) => schemaId);
}

/** Runs an action for all items, some at a time. Rejects once those that were begun have ended. */
async function inGroups<T>(
  items: readonly T[],
  most: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += most) {
    const ended = await Promise.allSettled(items.slice(start, start + most).map(action));
    const failed = ended.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }
}
