import type { Caller } from '../protocol/call.js';
import type { Clock } from './clock.js';
import type { Pace } from './pace.js';

/** What a prober works with. */
export interface ProberParts {
  readonly caller: Pick<Caller, 'addresses' | 'probe'>;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Told that an isolated address answered; `returned` when it had not answered a probe before. */
  readonly onAnswer: (returned: boolean) => void;
}

/** An isolated address: when it is asked, and whether it was silent last time. */
interface Watched {
  readonly dueAt: number;
  readonly wasSilent: boolean;
}

/**
 * Asks each isolated address from time to time whether it serves again. Nobody waits for a probe: a
 * heartbeat is sent meanwhile.
 */
export class AddressProber {
  readonly #watched = new Map<string, Watched>();
  readonly #underWay = new Map<string, AbortController>();
  #bugs: unknown[] = [];

  constructor(private readonly parts: ProberParts) {}

  /**
   * Starts the probes that are due; answers when the next one is, Infinity for never.
   *
   * @throws what a probe threw since the last call: a bug, for whoever supervises the ticks
   */
  tick(): number {
    const { caller, clock } = this.parts;
    const [bug] = this.#bugs.splice(0);
    if (bug !== undefined) throw bug;
    const isolated = new Set(caller.addresses.isolated);
    for (const address of this.#watched.keys())
      if (!isolated.has(address)) this.#watched.delete(address);
    for (const address of isolated) {
      const { dueAt, wasSilent } = this.#watched.get(address) ?? this.#watch(address, false);
      if (dueAt <= clock.now() && !this.#underWay.has(address)) this.#start(address, wasSilent);
    }
    const idle = [...this.#watched].filter(([address]) => !this.#underWay.has(address));
    return Math.min(Infinity, ...idle.map(([, { dueAt }]) => dueAt));
  }

  /** Ends the probes under way. */
  stop(): void {
    for (const probe of this.#underWay.values()) probe.abort();
    this.#underWay.clear();
  }

  #watch(address: string, wasSilent: boolean): Watched {
    const { clock, pace } = this.parts;
    const watched = { dueAt: clock.now() + pace.probe(), wasSilent };
    this.#watched.set(address, watched);
    return watched;
  }

  #start(address: string, wasSilent: boolean): void {
    const abort = new AbortController();
    this.#underWay.set(address, abort);
    this.#watch(address, wasSilent);
    this.#probe(address, wasSilent, abort.signal).catch((error: unknown) => {
      if (!abort.signal.aborted) this.#bugs.push(error);
    });
  }

  async #probe(address: string, wasSilent: boolean, signal: AbortSignal): Promise<void> {
    const { caller, pace, onAnswer } = this.parts;
    try {
      const serves = await caller.probe(address, { signal, timeoutMs: pace.beatTimeoutMs });
      if (signal.aborted) return;
      this.#watch(address, !serves);
      if (serves) onAnswer(wasSilent);
    } finally {
      if (!signal.aborted) this.#underWay.delete(address);
    }
  }
}
