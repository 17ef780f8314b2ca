import type { Channel } from '../protocol/channel.js';
import { Background, type BackgroundWork } from './background.js';
import type { Clock } from './clock.js';
import type { Pace } from './pace.js';

/** The collaborators of an {@link AddressProber}. */
export interface ProberParts {
  readonly channel: Pick<Channel, 'addresses' | 'probe'>;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Called when an isolated address has answered; `wasSilent` if it had not answered the probe before. */
  readonly onAnswer: (wasSilent: boolean) => void;
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
    const { channel, clock } = this.parts;
    const isolated = new Set(channel.addresses.isolated);
    for (const address of this.#probed.keys())
      if (!isolated.has(address)) this.#probed.delete(address);
    for (const address of isolated) if (!this.#probed.has(address)) this.#schedule(address, false);
    const waiting = [...this.#probed]
      .filter(([address]) => !this.#underWay.has(address))
      .toSorted(([, left], [, right]) => left.dueAt - right.dueAt);
    const due = waiting.filter(([, { dueAt }]) => dueAt <= clock.now());
    const started = due.slice(0, mostProbes - this.#underWay.size);
    for (const [address, { wasSilent }] of started)
      this.#background.start(signal => this.#probe(address, wasSilent, signal));
    const idle = [...this.#probed].filter(([address]) => !this.#underWay.has(address));
    // A probe that has to wait for the end of another one follows in a later turn.
    if (this.#underWay.size >= mostProbes) return Infinity;
    return Math.min(Infinity, ...idle.map(([, { dueAt }]) => dueAt));
  }

  stop(): void {
    this.#background.stop();
  }

  #schedule(address: string, wasSilent: boolean): void {
    const { clock, pace } = this.parts;
    this.#probed.set(address, { dueAt: clock.now() + pace.probeDelay(), wasSilent });
  }

  async #probe(address: string, wasSilent: boolean, signal: AbortSignal): Promise<void> {
    const { channel, pace, onAnswer } = this.parts;
    this.#underWay.add(address);
    this.#schedule(address, wasSilent);
    try {
      const serves = await channel.probe(address, { signal, timeoutMs: pace.heartbeatTimeoutMs });
      if (signal.aborted) return;
      this.#schedule(address, !serves);
      if (serves) onAnswer(wasSilent);
    } finally {
      this.#underWay.delete(address);
    }
  }
}
