import { isServiceCombError } from '../errors.js';
import { type AddressBook, learnedAddresses } from '../protocol/address-book.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { DataCenterInfo } from '../protocol/wire.js';
import { Background, type BackgroundWork } from '../background/background.js';
import type { Clock } from '../background/clock.js';
import type { Pace } from './pace.js';

/** The collaborators of an {@link AddressLearner}. */
export interface LearnerParts {
  readonly client: ServiceCenterClient;
  readonly addresses: AddressBook;
  readonly clock: Clock;
  readonly pace: Pace;
  /** The zone of this process: registry nodes of the same zone come first. */
  readonly dataCenter: DataCenterInfo | undefined;
}

/**
 * Asks the registry for its other nodes every ten minutes. A learned address is a hint: it is probed
 * before the first request goes there.
 */
export class AddressLearner implements BackgroundWork {
  #dueAt = -Infinity;
  readonly #background = new Background();

  constructor(private readonly parts: LearnerParts) {}

  tick(): number {
    this.#background.throwPending();
    const { clock, pace } = this.parts;
    if (this.#dueAt > clock.now()) return this.#dueAt;
    this.#dueAt = clock.now() + pace.learningRetryDelay();
    this.#background.start(signal => this.#learn(signal));
    return this.#dueAt;
  }

  stop(): void {
    this.#background.stop();
  }

  /** A registry that does not answer is not reported here: the heartbeats notice it as well. */
  async #learn(signal: AbortSignal): Promise<void> {
    const { client, addresses, dataCenter, clock, pace } = this.parts;
    try {
      addresses.learn(learnedAddresses(await client.getHealth({ signal }), dataCenter));
      this.#dueAt = clock.now() + pace.learningDelay();
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
    }
  }
}
