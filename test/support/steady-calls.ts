import { setInterval, setTimeout } from 'node:timers/promises';
import type { Discovery } from '../../lib/index.js';

/** One attempt of a call. */
export interface CallAttempt {
  readonly at: number;
  readonly endedAt: number;
  /** Of the instance that was called: its process. */
  readonly port: number;
  readonly isGood: boolean;
}

/** Calls a provider by name at a steady rate over real sockets, one request each, and keeps what came of it. */
export class SteadyCalls {
  readonly attempts: CallAttempt[] = [];
  /** Of the calls that failed, after all attempts. */
  readonly errors: unknown[] = [];
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #ended: Promise<void>;

  constructor(
    private readonly discovery: Discovery,
    everyMs: number,
    private readonly provider = 'greeter',
  ) {
    this.#ended = this.#run(everyMs);
  }

  /** Resolves when the calls under way have ended, too. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#ended;
    await Promise.all(this.#underWay);
  }

  /** The good attempts at an instance, or at any. */
  answeredBy(port?: number): readonly CallAttempt[] {
    return this.attempts.filter(each => each.isGood && (port ?? each.port) === each.port);
  }

  /** The failed attempts at an instance that began when one had failed there: several may begin before that. */
  repeatedAt(port: number, since: number): readonly CallAttempt[] {
    const failed = this.attempts.filter(
      each => !each.isGood && port === each.port && each.at > since,
    );
    const knownAt = Math.min(...failed.map(({ endedAt }) => endedAt));
    return failed.filter(({ at }) => at > knownAt);
  }

  async #run(everyMs: number): Promise<void> {
    const { signal } = this.#ending;
    try {
      for await (const _ of setInterval(everyMs, undefined, { signal })) {
        const call = this.#call().finally(() => this.#underWay.delete(call));
        this.#underWay.add(call);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #call(): Promise<void> {
    try {
      await this.discovery.call(
        this.provider,
        async ({ url, endpoint: { port } }, { signal }) => {
          const at = performance.now();
          const note = (isGood: boolean) =>
            this.attempts.push({ at, endedAt: performance.now(), port, isGood });
          try {
            await (await fetch(url, { signal })).text();
            note(true);
          } catch (error) {
            note(false);
            throw error;
          }
        },
        { idempotent: true },
      );
    } catch (error) {
      this.errors.push(error);
    }
  }
}

/** Resolves with the milliseconds until something holds; rejects when that takes too long. */
export async function timeUntil(holds: () => boolean, atMostMs: number): Promise<number> {
  const startedAt = performance.now();
  while (!holds()) {
    if (performance.now() > startedAt + atMostMs)
      throw new Error(`It does not hold within ${atMostMs} ms: ${holds.toString()}`);
    await setTimeout(5);
  }
  return performance.now() - startedAt;
}
