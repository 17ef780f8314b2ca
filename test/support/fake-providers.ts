import {
  type ServiceCombError,
  ServiceCenterResponseError,
  ServiceCenterUnreachableError,
} from '../../lib/errors.js';
import type { BatchQuery } from '../../lib/protocol/batch-find.js';
import type { BatchOptions } from '../../lib/protocol/service-center.client.js';
import type { CallOptions } from '../../lib/protocol/channel.js';
import type { FindQuery, Found, InstanceStatus, StoredInstance } from '../../lib/protocol/wire.js';
import type { FakeClock } from './fake-clock.js';

/** A request for providers. */
export interface AskedFor {
  readonly at: number;
  readonly isBatch: boolean;
  readonly names: readonly string[];
  readonly revisions: readonly (string | undefined)[];
  readonly consumerId: string | undefined;
  readonly noCache: boolean;
}

/** An instance of a provider as a registry lists it. */
export function instanceOf(
  instanceId: string,
  {
    status = 'UP',
    ...more
  }: Partial<StoredInstance> & { readonly status?: InstanceStatus | undefined } = {},
): StoredInstance {
  return {
    instanceId,
    serviceId: 'greeter-service',
    hostName: 'host',
    endpoints: [`rest://${instanceId}:80`],
    status,
    version: '1.0.0',
    properties: { zone: 'a' },
    ...more,
  };
}

/** An error with the registry's number. */
export function refusal(errorCode: number, detail?: string): ServiceCenterResponseError {
  const status = Math.floor(errorCode / 1_000);
  return new ServiceCenterResponseError('findInstances', 'http://a:1', {
    status,
    errorCode,
    detail,
  });
}

/** The error of a registry that cannot be reached. */
export function unreachable(): ServiceCombError {
  return new ServiceCenterUnreachableError('findInstances', ['http://a:1'], 'ECONNREFUSED');
}

/** The part of the client that discovery uses, and a registry of providers behind it, without HTTP. */
export class FakeProviders {
  readonly address = 'http://a:1';
  readonly asked: AskedFor[] = [];
  /** The service ids that may ask. */
  readonly consumers = new Set<string>();
  /** Names under which a provider is found by single requests alone. */
  readonly aliases = new Map<string, string>();
  /** Returns what a request fails with; undefined lets it succeed. */
  fails: (request: AskedFor) => ServiceCombError | undefined = () => undefined;
  /** The last list that was answered of each provider. */
  readonly answered = new Map<string, readonly StoredInstance[]>();
  /** The most requests for one provider that were under way at a time. */
  mostAtATime = 0;
  readonly #underWay = new Map<string, number>();
  /** From a request to its answer. The answer is of the moment when it is given. */
  latencyMs = 0;
  #revision = 0;
  readonly #lists = new Map<string, { instances: readonly StoredInstance[]; revision: string }>();

  constructor(private readonly clock: FakeClock) {}

  /** Sets the instances of a provider; undefined removes its service. */
  list(name: string, instances: readonly StoredInstance[] | undefined): void {
    this.#revision += 1;
    if (instances === undefined) this.#lists.delete(name);
    else this.#lists.set(name, { instances, revision: `r${this.#revision}` });
  }

  /** Sets the instances of a provider, and gives the list the revision that another list had. */
  listAs(revision: string, name: string, instances: readonly StoredInstance[]): void {
    this.#lists.set(name, { instances, revision });
  }

  /** How many requests were sent since a moment. */
  count(since = 0): number {
    return this.asked.filter(({ at }) => at >= since).length;
  }

  async findInstances(query: FindQuery, options: CallOptions = {}): Promise<Found> {
    const { serviceName, revision, consumerId, noCache = false } = query;
    const request = { names: [serviceName], revisions: [revision], consumerId, noCache };
    await this.#arrive({ at: this.clock.now(), isBatch: false, ...request }, options);
    const found = this.#found(this.aliases.get(serviceName) ?? serviceName, revision, consumerId);
    if ('modified' in found) return found;
    throw found;
  }

  async findInstancesInBatch(
    queries: readonly BatchQuery[],
    { consumerId, noCache = false, ...options }: BatchOptions = {},
  ): Promise<readonly (Found | ServiceCenterResponseError)[]> {
    const names = queries.map(({ serviceName }) => serviceName);
    const revisions = queries.map(({ revision }) => revision);
    const request = { names, revisions, consumerId, noCache };
    await this.#arrive({ at: this.clock.now(), isBatch: true, ...request }, options);
    return queries.map(({ serviceName, revision }) =>
      this.#found(serviceName, revision, consumerId),
    );
  }

  async #arrive(request: AskedFor, { signal }: CallOptions): Promise<void> {
    signal?.throwIfAborted();
    this.asked.push(request);
    for (const name of request.names) this.#count(name, 1);
    if (this.latencyMs > 0) await this.clock.delay(this.latencyMs, signal);
    for (const name of request.names) this.#count(name, -1);
    signal?.throwIfAborted();
    const error = this.fails(request);
    if (error !== undefined) throw error;
  }

  #count(name: string, difference: number): void {
    const underWay = (this.#underWay.get(name) ?? 0) + difference;
    this.#underWay.set(name, underWay);
    this.mostAtATime = Math.max(this.mostAtATime, underWay);
  }

  #found(
    name: string,
    revision: string | undefined,
    consumerId: string | undefined,
  ): Found | ServiceCenterResponseError {
    if (consumerId !== undefined && !this.consumers.has(consumerId))
      return refusal(400_012, `Consumer[${consumerId}] does not exist.`);
    const list = this.#lists.get(name);
    this.answered.set(name, list?.instances ?? []);
    if (list === undefined)
      return refusal(400_012, `Consumer[][///] find provider[/default/${name}] failed, provider`);
    return list.revision === revision ? { modified: false } : { modified: true, ...list };
  }
}
