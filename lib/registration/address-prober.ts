import type { Channel } from '../protocol/channel.js';
import { Background, type BackgroundWork } from './background.js';
import type { Clock } from './clock.js';
import type { Pace } from './pace.js';

/** What a prober works with. */
export interface ProberParts {
  readonly caller: Pick<Channel, 'addresses' | 'probe'>;
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
export class AddressProber implements BackgroundWork {
  readonly #watched = new Map<string, Watched>();
  readonly #underWay = new Set<string>();
  readonly #background = new Background();

  constructor(private readonly parts: ProberParts) {}

  tick(): number {
    this.#background.surface();
    const { caller, clock } = this.parts;
    const isolated = new Set(caller.addresses.isolated);
    for (const address of this.#watched.keys())
      if (!isolated.has(address)) this.#watched.delete(address);
    for (const address of isolated) {
      const { dueAt, wasSilent } = this.#watched.get(address) ?? this.#watch(address, false);
      if (dueAt <= clock.now() && !this.#underWay.has(address))
        this.#background.start(signal => this.#probe(address, wasSilent, signal));
    }
    const idle = [...this.#watched].filter(([address]) => !this.#underWay.has(address));
    return Math.min(Infinity, ...idle.map(([, { dueAt }]) => dueAt));
  }

  stop(): void {
    this.#background.stop();
  }

  #watch(address: string, wasSilent: boolean): Watched {
    const { clock, pace } = this.parts;
    const watched = { dueAt: clock.now() + pace.probe(), wasSilent };
    this.#watched.set(address, watched);
    return watched;
  }

  async #probe(address: string, wasSilent: boolean, signal: AbortSignal): Promise<void> {
    const { caller, pace, onAnswer } = this.parts;
    this.#underWay.add(address);
    this.#watch(address, wasSilent);
    try {
      const serves = await caller.probe(address, { signal, timeoutMs: pace.beatTimeoutMs });
      if (signal.aborted) return;
      this.#watch(address, !serves);
      if (serves) onAnswer(wasSilent);
    } finally {
      this.#underWay.delete(address);
    }
  }
}
