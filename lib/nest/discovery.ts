import { Inject, Injectable } from '@nestjs/common';
import { Observable, ReplaySubject, takeUntil } from 'rxjs';
import type { Candidate } from '../discovery/candidate.js';
import { DiscoveryCore } from '../discovery/core.js';
import type {
  Attempt,
  FindOptions,
  PickOptions,
  ProviderCallOptions,
  ProviderChange,
  ProviderQuery,
} from '../discovery/provider.js';
import type { DiscoverySnapshot } from '../discovery/snapshot.js';
import type { StoredInstance } from '../protocol/wire.js';

/**
 * Finds the instances of other services, and calls them. A provider is named by its service, by a key of
 * `discovery.providers`, or by a {@link ProviderQuery}. The registry is asked nothing before the first use.
 *
 * @example
 * ```ts
 * @Injectable()
 * export class GreeterClient {
 *   constructor(private readonly discovery: Discovery) {}
 *
 *   hello(): Promise<string> {
 *     const get = async ({ url }: Candidate, { signal }: Attempt) => {
 *       const answer = await fetch(`${url}/hello`, { signal });
 *       return answer.text();
 *     };
 *     return this.discovery.call('greeter', get, { idempotent: true });
 *   }
 * }
 * ```
 */
@Injectable()
export class Discovery {
  readonly #core: DiscoveryCore;
  /** Ends what is watched later, too. */
  readonly #closed = new ReplaySubject<void>(1);

  /** @internal Made by the module: inject it. */
  constructor(@Inject(DiscoveryCore) core: DiscoveryCore) {
    this.#core = core;
  }

  /**
   * Returns the instances that may be called: UP, and of a version that fits. They come from memory once they are
   * known, also while the registry is away. The first time it asks, and all who ask meanwhile share one request.
   * @throws NoInstanceError `unknown-provider`
   * @throws ServiceCombError when nothing is known and the registry does not answer
   */
  find(
    provider: string | ProviderQuery,
    options?: FindOptions,
  ): Promise<readonly StoredInstance[]> {
    return this.#core.find(provider, options);
  }

  /**
   * Emits the list as soon as it is known, then each change. Never fails, and completes when the application shuts
   * down. A provider that is watched is not forgotten: unsubscribe to let go.
   */
  watch(provider: string | ProviderQuery): Observable<ProviderChange> {
    const changes = new Observable<ProviderChange>(subscriber =>
      this.#core.onChange(provider, change => subscriber.next(change)),
    );
    return changes.pipe(takeUntil(this.#closed));
  }

  /**
   * Returns an instance that may be called now, at one of its endpoints. The call is not counted, and its failure
   * not noticed: use {@link call} for that.
   * @throws NoInstanceError
   * @throws ServiceCombError as {@link find} does
   */
  pick(provider: string | ProviderQuery, options?: PickOptions): Promise<Candidate> {
    return this.#core.pick(provider, options);
  }

  /**
   * Runs an action on an instance, and on another one when it failed and may be repeated: up to twice when there was
   * no connection, and once by default when it may have arrived and is `idempotent`. Rejects with what the last action
   * rejected with, or with a `TimeoutError` when the time is up.
   * @throws NoInstanceError
   * @throws ServiceCombError as {@link find} does
   */
  call<T>(
    provider: string | ProviderQuery,
    action: (candidate: Candidate, attempt: Attempt) => Promise<T>,
    options?: ProviderCallOptions,
  ): Promise<T> {
    return this.#core.call(provider, action, options);
  }

  /** Returns all that is known now: plain, frozen, safe to log. Sends nothing to the registry. */
  snapshot(): DiscoverySnapshot {
    return this.#core.snapshot();
  }

  /** @internal Ends what is watched, once the application shuts down. */
  close(): void {
    this.#closed.next();
    this.#closed.complete();
  }
}
