import { isServiceCombError } from '../errors.js';
import { type AddressBook, learnedAddresses } from '../protocol/address-book.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { DataCenterInfo } from '../protocol/wire.js';
import { Background, type BackgroundWork } from './background.js';
import type { Clock } from './clock.js';

/** The registry's nodes change seldom; a dead one is listed for up to two minutes (measured M9). */
const everyMs = 600_000;
const afterFailureMs = 60_000;

/** What a learner works with. */
export interface LearnerParts {
  readonly client: ServiceCenterClient;
  readonly addresses: AddressBook;
  readonly clock: Clock;
  /** Where this process runs: nodes of the same zone come first. */
  readonly dataCenter: DataCenterInfo | undefined;
  /** Between 0 and 1: spreads a fleet that was started together. */
  readonly random: () => number;
}

/**
 * Learns the registry's other nodes from the registry, every ten minutes. A learned address is a hint:
 * it is probed before the first request goes there.
 */
export class AddressLearner implements BackgroundWork {
  #dueAt = -Infinity;
  readonly #background = new Background();

  constructor(private readonly parts: LearnerParts) {}

  tick(): number {
    this.#background.surface();
    if (this.#dueAt > this.parts.clock.now()) return this.#dueAt;
    this.#waitFor(everyMs);
    this.#background.start(signal => this.#learn(signal));
    return this.#dueAt;
  }

  stop(): void {
    this.#background.stop();
  }

  /** A registry that does not answer is no news: heartbeats tell that. */
  async #learn(signal: AbortSignal): Promise<void> {
    const { client, addresses, dataCenter } = this.parts;
    try {
      addresses.learn(learnedAddresses(await client.getHealth({ signal }), dataCenter));
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      this.#waitFor(afterFailureMs);
    }
  }

  #waitFor(ms: number): void {
    const { clock, random } = this.parts;
    this.#dueAt = clock.now() + ms * (0.8 + 0.4 * random());
  }
}
