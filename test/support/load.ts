import type { HttpService } from '@nestjs/axios';
import { type Candidate, candidateOf } from '../../lib/index.js';
import type { OwnClock } from './own-clock.js';
import type { Cleanup } from './test-app.js';

export type LoadMethod = 'GET' | 'POST';

/** A call that has failed. */
export interface FailedCall {
  readonly method: LoadMethod;
  readonly error: unknown;
  /** Who failed. */
  readonly instanceId: string | undefined;
  readonly afterMs: number;
}

export interface LoadSettings {
  readonly http: HttpService;
  readonly clock: OwnClock;
  readonly perSecond: number;
  readonly timeoutMs?: number;
}

/** After a standstill no more calls than this are made up for at once. */
const mostAtOnce = 5;

/**
 * Calls `greeter` by name at a steady rate, GET and POST in turn, and keeps what came of the calls. The rate is that of
 * the process's own time: where others take the processor, calls must not pile up at providers that share it.
 */
export class Load {
  readonly failed: FailedCall[] = [];
  readonly tookMs: number[] = [];
  /** Calls, by the instance that answered. */
  readonly answered = new Map<string, number>();
  sent = 0;
  readonly #underWay = new Set<Promise<void>>();
  readonly #waiting = new Set<() => void>();
  #dueAt: number;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly settings: LoadSettings,
    cleanup: Cleanup,
  ) {
    this.#dueAt = settings.clock.now();
    this.#timer = setInterval(() => this.#sendDue(), 5);
    cleanup.add(() => this.end());
  }

  /** Resolves once so many more calls were sent. */
  sentMore(count: number): Promise<void> {
    const until = this.sent + count;
    return new Promise(resolve => {
      const check = () => {
        if (this.sent < until) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  /** Sends nothing more, and resolves when the calls under way have ended. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }

  failedOf(method: LoadMethod): readonly FailedCall[] {
    return this.failed.filter(call => call.method === method);
  }

  #sendDue(): void {
    const everyMs = 1_000 / this.settings.perSecond;
    const now = this.settings.clock.now();
    this.#dueAt = Math.max(this.#dueAt, now - mostAtOnce * everyMs);
    for (; this.#dueAt <= now; this.#dueAt += everyMs) {
      const call = this.#call(this.sent % 2 === 0 ? 'GET' : 'POST');
      this.sent += 1;
      this.#underWay.add(call);
      void call.then(() => this.#underWay.delete(call));
    }
    for (const check of this.#waiting) check();
  }

  async #call(method: LoadMethod): Promise<void> {
    const { http, clock, timeoutMs = 0 } = this.settings;
    const url = 'http://greeter/hello';
    const startedAt = clock.now();
    try {
      const answer = await http.axiosRef.request({ method, url, timeout: timeoutMs });
      this.tookMs.push(clock.now() - startedAt);
      const { instanceId = '' } = instanceOf(candidateOf(answer)) ?? {};
      this.answered.set(instanceId, (this.answered.get(instanceId) ?? 0) + 1);
    } catch (error) {
      const { instanceId } = instanceOf(candidateOf(error)) ?? {};
      this.failed.push({ method, error, instanceId, afterMs: clock.now() - startedAt });
    }
  }
}

function instanceOf(candidate: Candidate | undefined): Candidate['instance'] | undefined {
  return candidate?.instance;
}
