import { inspect } from 'node:util';
import type { EventEmitter2 } from '@nestjs/event-emitter';
import {
  type EventContext,
  type RegistryEventName,
  type RegistryFact,
  RegistryEvents,
} from '../events/events.js';
import { logLineOf } from './log-line.js';
import type { RegistryLogger } from './tokens.js';

/** Tells what happened: to the host's EventEmitter2, and to the log once per change. */
export class EventPublisher {
  #emitter: EventEmitter2 | undefined;
  #last: RegistryEventName | undefined;
  readonly #faulty = new Set<RegistryEventName>();

  constructor(private readonly logger: RegistryLogger) {}

  /** Events go there from now on. */
  connect(emitter: EventEmitter2): void {
    this.#emitter = emitter;
  }

  /** Never throws: a listener that does, or rejects, is logged, once until it stops doing so. */
  publish(fact: RegistryFact, context: EventContext): void {
    this.#log(fact, context);
    this.#emit(fact, context).then(
      () => this.#faulty.delete(fact.name),
      (error: unknown) => this.#blame(fact.name, error),
    );
  }

  /** Listeners are called before this returns; an asynchronous one is waited for by nobody else. */
  async #emit(fact: RegistryFact, context: EventContext): Promise<void> {
    const event = Object.freeze({ name: fact.name, ...context, ...fact.payload });
    await this.#emitter?.emitAsync(fact.name, event);
  }

  #blame(name: RegistryEventName, error: unknown): void {
    if (!this.#faulty.has(name))
      this.logger.error(`A listener of ${name} threw: ${inspect(error)}`);
    this.#faulty.add(name);
  }

  #log(fact: RegistryFact, { instance }: EventContext): void {
    const repeated = fact.name === RegistryEvents.RegistrationBlocked && fact.name === this.#last;
    this.#last = fact.name;
    const line = repeated ? undefined : logLineOf(fact, instance);
    if (line === undefined) return;
    const [level, message] = line;
    this.logger[level](message);
  }
}
