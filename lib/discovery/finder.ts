import {
  isServiceCombError,
  propertyOf,
  type ServiceCombError,
  ServiceCenterProtocolError,
} from '../errors.js';
import type { Clock } from '../background/clock.js';
import { ErrorCode } from '../protocol/error-codes.js';
import { failureKind, noScope } from '../protocol/failures.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { Found } from '../protocol/wire.js';
import type { ProviderName } from './provider.js';
import { believed, type Outcome, type ProviderState } from './provider-state.js';

/** A provider as far as the registry is asked for it. */
export interface Target {
  readonly name: ProviderName;
  readonly state: ProviderState;
  /** Whether it is called by an alias, which the registry does not look up in batches; undefined until that is known. */
  isAlias: boolean | undefined;
}

/** One provider to ask for. */
export interface Pull {
  readonly target: Target;
  /** The revision of the list at hand, or {@link truth}; undefined reads the registry's store itself. */
  readonly revision: string | undefined;
}

/**
 * A revision that no list has: the server then reads past its cache and answers with the list. The revision of
 * the list at hand would be answered with 304 also where the server's cache is behind, or where the registry has
 * lost everything and counts its revisions from the beginning.
 */
export const truth = '0';

/** The outcome of a request for a provider. */
export type Answer = Extract<Outcome, { kind: 'listed' | 'unchanged' | 'absent' | 'failed' }>;

export interface FinderParts {
  readonly client: Pick<ServiceCenterClient, 'findInstances' | 'findInstancesInBatch' | 'address'>;
  readonly clock: Pick<Clock, 'now'>;
  /** The environment whose providers a consumer may be named for: the registry takes that of the consumer. */
  readonly environment: string;
}

const notModified = 'not modified';
/** An answer longer than `serviceCenter.maxAnswerBytes`. */
const tooLong = 'ERR_ANSWER_TOO_LONG';

/** The largest batch, and how many instances its answer may list: 600 KB of the mebibyte that is read by default. */
const batchSize = 50;
const batchInstances = 1_000;

/** How long providers are asked for one by one after a batch was refused. */
const withoutBatchMs = 600_000;

/** The requests for some providers, one after the other. */
interface Round {
  /** The consumer that asks; undefined also once the registry has answered that it does not know it. */
  consumerId: string | undefined;
  /** Why the rest of the round is not sent. */
  error: ServiceCombError | undefined;
  readonly signal: AbortSignal;
  readonly settle: (pull: Pull, answer: Answer) => void;
}

/** Asks the registry for providers: many in one request, where that is possible. */
export class Finder {
  #batchAt = -Infinity;
  /** The request that a round begins with: behind the one that broke off the last round, which may fail each time. */
  #startAt = 0;

  constructor(private readonly parts: FinderParts) {}

  /**
   * Asks for each provider, and settles it as soon as its answer is there. When the registry does not serve, the
   * rest has failed without being sent.
   */
  async find(
    pulls: readonly Pull[],
    options: Pick<Round, 'consumerId' | 'signal' | 'settle'>,
  ): Promise<void> {
    const round: Round = { ...options, error: undefined };
    const others: Round = { ...round, consumerId: undefined };
    const { environment } = this.parts;
    const isOwn = ({ target }: Pull) => target.name.environment === environment;
    const chunks = [
      ...chunksOf(pulls.filter(isOwn)).map(chunk => ({ chunk, of: round })),
      ...chunksOf(pulls.filter(pull => !isOwn(pull))).map(chunk => ({ chunk, of: others })),
    ];
    const first = this.#startAt % Math.max(1, chunks.length);
    this.#startAt = 0;
    const inTurn = [...chunks.slice(first), ...chunks.slice(0, first)];
    for (const [nth, { chunk, of }] of inTurn.entries()) {
      const isSent = round.error === undefined && others.error === undefined;
      of.error = round.error ?? others.error;
      await this.#findAll(chunk, of);
      if (isSent && of.error !== undefined) this.#startAt = first + nth + 1;
    }
  }

  async #findAll(chunk: readonly Pull[], round: Round): Promise<void> {
    const isBatch = chunk.length > 1 && this.parts.clock.now() >= this.#batchAt;
    if (isBatch && round.error === undefined) return this.#findMany(chunk, round);
    for (const pull of chunk) await this.#findOne(pull, round);
  }

  async #findOne(pull: Pull, round: Round): Promise<Answer> {
    const answer = await this.#ask(pull, round);
    round.settle(pull, answer);
    return answer;
  }

  async #ask(pull: Pull, round: Round): Promise<Answer> {
    if (round.error !== undefined) return { kind: 'failed', error: round.error };
    const { client, clock } = this.parts;
    const { revision, target } = pull;
    const { consumerId, signal } = round;
    const askedAt = clock.now();
    const query = { ...target.name, revision, consumerId, noCache: revision === undefined };
    try {
      return this.#answerOf(await client.findInstances(query, { signal }), pull, askedAt);
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      if (isConsumerUnknown(error, consumerId)) {
        round.consumerId = undefined;
        return this.#ask(pull, round);
      }
      if (isRegistryFailure(error)) round.error = error;
      return answerTo(error, askedAt);
    }
  }

  async #findMany(chunk: readonly Pull[], round: Round): Promise<void> {
    const askedAt = this.parts.clock.now();
    const items = await this.#askForAll(chunk, round);
    if ('code' in items) return this.#afterRefusal(items, chunk, round);
    if (items.some(item => isConsumerUnknown(item, round.consumerId))) {
      round.consumerId = undefined;
      return this.#findMany(chunk, round);
    }
    for (const [index, item] of items.entries()) {
      const pull = chunk[index];
      if (pull === undefined) continue;
      const isFound = 'modified' in item;
      if (!isFound && mayBeAlias(pull.target) && isNoSuchService(item)) {
        const { kind } = await this.#findOne(pull, round);
        if (kind === 'listed' || kind === 'unchanged') pull.target.isAlias = true;
      } else {
        if (isFound) pull.target.isAlias = false;
        round.settle(pull, isFound ? this.#answerOf(item, pull, askedAt) : answerTo(item, askedAt));
      }
    }
  }

  async #askForAll(
    chunk: readonly Pull[],
    { consumerId, signal }: Round,
  ): Promise<readonly (Found | ServiceCombError)[] | ServiceCombError> {
    const queries = chunk.map(({ target, revision }) => ({ ...target.name, revision }));
    try {
      return await this.parts.client.findInstancesInBatch(queries, { consumerId, signal });
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      return error;
    }
  }

  /** Asks one by one where the registry, or what is before it, does not take a batch. */
  async #afterRefusal(
    error: ServiceCombError,
    chunk: readonly Pull[],
    round: Round,
  ): Promise<void> {
    if (isConsumerUnknown(error, round.consumerId)) {
      round.consumerId = undefined;
      return this.#findMany(chunk, round);
    }
    const isRefused = failureKind(error) === 'refused' || error.code === 'ERR_SERVICECOMB_PROTOCOL';
    if (isRefused) this.#batchAt = this.parts.clock.now() + withoutBatchMs;
    else round.error = error;
    for (const pull of chunk) await this.#findOne(pull, round);
  }

  #answerOf(found: Found, { revision }: Pull, askedAt: number): Answer {
    if (found.modified) {
      const { revision, instances } = found;
      return { kind: 'listed', askedAt, revision, instances };
    }
    if (revision !== undefined && revision !== truth) return { kind: 'unchanged' };
    const { address } = this.parts.client;
    const asked = 'the list that was asked for';
    const error = new ServiceCenterProtocolError('findInstances', address, asked, notModified);
    return { kind: 'failed', error };
  }
}

/** Puts together what one request asks for. */
function chunksOf(pulls: readonly Pull[]): readonly (readonly Pull[])[] {
  const chunks: Pull[][] = [];
  let instances = Infinity;
  let chunk: Pull[] = [];
  for (const pull of pulls) {
    if (pull.target.isAlias === true) chunks.push([pull]);
    else {
      const isLong = pull.revision === truth;
      const length = isLong ? believed(pull.target.state).length : 0;
      if (chunk.length === batchSize || instances + length > batchInstances) {
        chunk = [];
        instances = 0;
        chunks.push(chunk);
      }
      chunk.push(pull);
      instances += length;
    }
  }
  return chunks;
}

/** An absent service may be another one's alias, unless a batch has found it by its name. */
function mayBeAlias({ isAlias, state }: Target): boolean {
  return isAlias === undefined && state.kind === 'known';
}

function answerTo(error: ServiceCombError, askedAt: number): Answer {
  return isNoSuchService(error) ? { kind: 'absent', askedAt } : { kind: 'failed', error };
}

function isNoSuchService(error: ServiceCombError): boolean {
  return propertyOf(error, 'errorCode') === ErrorCode.ServiceNotExists;
}

/**
 * Returns whether the registry does not know who asks, which says nothing about the provider. With its security
 * on, it refuses a service that it does not know in other words (docs/registry-behaviour.md, M12).
 */
function isConsumerUnknown(item: object, consumerId: string | undefined): boolean {
  const detail = propertyOf(item, 'detail');
  if (consumerId === undefined || typeof detail !== 'string') return false;
  // The end of a long detail is cut off.
  return detail.includes(`Consumer[${consumerId}] does`) || detail.includes(noScope);
}

/** Failures of one provider that look as if the registry did not serve. */
const ofOneProvider: ReadonlySet<unknown> = new Set([tooLong, notModified]);

/**
 * Returns whether a failure is the registry's, or our account's, rather than that of one provider: the same would
 * become of a request for any other.
 */
export function isRegistryFailure(error: ServiceCombError): boolean {
  switch (failureKind(error)) {
    case 'unavailable':
      return !ofOneProvider.has(propertyOf(error, 'received'));
    case 'throttled':
    case 'credentials':
      return true;
    case 'refused':
    case 'service-gone':
    case 'instance-gone':
      return propertyOf(error, 'status') === 401;
  }
}
