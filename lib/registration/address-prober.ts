import type { Channel } from '../protocol/channel.js';
import { Background, type BackgroundWork } from '../background/background.js';
import type { Clock } from '../background/clock.js';
import type { Pace } from './pace.js';

/** The collaborators of an {@link AddressProber}. */
export interface ProberParts {
  readonly channel: Pick<Channel, 'addresses' | 'probe'>;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Called when an isolated address has answered; `wasSilent` if it had not answered the probe before. */
  readonly onAnswer: (wasSilent: boolean) => void;
  /** Called when an isolated address has not answered, with the milliseconds until its next probe. */
  readonly onSilence: (address: string, retryInMs: number) => void;
}

interface Probed {
  readonly dueAt: number;
  /** Whether the last probe was not answered. */
  readonly wasSilent: boolean;
}

/** Probes that are under way together: an address may hang, and there may be many. */
const mostProbes = 2;

/** Probes each isolated address from time to time, to notice when it serves again. */
export class AddressProber implements BackgroundWork {
  readonly #probed = new Map<string, Probed>();
  readonly #underWay = new Set<string>();
  readonly #background = new Background();

  constructor(private readonly parts: ProberParts) {}

  tick(): number {
    this.#background.throwPending();
    const { channel, clock, pace } = this.parts;
    if (channel.addresses.isolated.length === 0 && this.#probed.size === 0) return Infinity;
    const now = clock.now();
    const isolated = new Set(channel.addresses.isolated);
    for (const address of this.#probed.keys())
      if (!isolated.has(address)) this.#probed.delete(address);
    for (const address of isolated) if (!this.#probed.has(address)) this.#schedule(address, false);
    const due = [...this.#probed]
      .filter(([address, { dueAt }]) => dueAt <= now && !this.#underWay.has(address))
      .toSorted(([, left], [, right]) => left.dueAt - right.dueAt);
    for (const [address, { wasSilent }] of due.slice(0, mostProbes - this.#underWay.size)) {
      this.#schedule(address, wasSilent);
      this.#background.start(signal => this.#probe(address, wasSilent, signal));
    }
    const nextAt = Math.min(Infinity, ...[...this.#probed.values()].map(({ dueAt }) => dueAt));
    // A probe that has to wait for the end of another one is looked at again soon.
    return nextAt > now ? nextAt : now + pace.turnPeriodMs;
  }

  stop(): void {
    this.#background.stop();
  }

  #schedule(address: string, wasSilent: boolean): Probed {
    const { clock, pace } = this.parts;
    const probed = { dueAt: clock.now() + pace.probeDelay(), wasSilent };
    this.#probed.set(address, probed);
    return probed;
  }

  async #probe(address: string, wasSilent: boolean, signal: AbortSignal): Promise<void> {
    const { channel, clock, pace, onAnswer, onSilence } = this.parts;
    this.#underWay.add(address);
    try {
      const serves = await channel.probe(address, { signal, timeoutMs: pace.heartbeatTimeoutMs });
      if (signal.aborted) return;
      const { dueAt } = this.#schedule(address, !serves);
      if (serves) onAnswer(wasSilent);
      else onSilence(address, dueAt - clock.now());
    } finally {
      this.#underWay.delete(address);
    }
  }
}
