import { Inject, Injectable } from '@nestjs/common';
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import type { InstanceStatus } from '../protocol/wire.js';
import { RegistrationCore } from '../registration/registration-core.js';
import type { RegistrationSnapshot } from '../registration/snapshot.js';
import type { RegistrationState } from '../registration/state.js';
import { Ticker } from './ticker.js';

/** This process in the registry: what it is there, and the ways to change it. */
@Injectable()
export class Registration {
  readonly #core: RegistrationCore;
  readonly #ticker: Ticker;
  readonly #state: BehaviorSubject<RegistrationState>;

  /** @internal Made by the module: inject it. */
  constructor(@Inject(RegistrationCore) core: RegistrationCore, @Inject(Ticker) ticker: Ticker) {
    this.#core = core;
    this.#ticker = ticker;
    this.#state = new BehaviorSubject(core.state);
    core.onChange(state => this.#state.next(state));
  }

  /** The state at this moment; `degraded`, `at-risk` and `lost` follow the clock. */
  get state(): RegistrationState {
    return this.#core.state;
  }

  /** Each state once it begins, the current one first. Never completes and never fails. */
  get state$(): Observable<RegistrationState> {
    return this.#state.pipe(distinctUntilChanged());
  }

  /** All that is known now: plain, frozen, safe to log. Asks nothing of the registry. */
  snapshot(): RegistrationSnapshot {
    return this.#core.snapshot();
  }

  /**
   * Registers the instance and resolves once it holds a lease, however long that takes; a pause after
   * a failed or refused attempt ends now. Resolves at once when there is a lease, and when the module
   * is disabled.
   *
   * @throws DOMException `AbortError` after {@link leave}, and from the shutdown of the application on
   * @throws ServiceCombError a refusal, with `registration.failFast`
   */
  register(): Promise<void> {
    const registered = this.#core.register();
    this.#ticker.wake();
    return registered;
  }

  /**
   * Takes the instance off the registry within `shutdown.timeoutMs`, and stays away from it until
   * {@link register} is called. Never rejects: a removal that fails is an event. Every caller gets the
   * same promise. Not needed at shutdown, which does the same.
   */
  leave(): Promise<void> {
    return this.#core.leave();
  }

  /**
   * Changes the status; before the registration, the one to register with.
   *
   * @throws ServiceCombError when the registry did not take it; it is then the one before.
   */
  async setStatus(status: InstanceStatus): Promise<void> {
    await this.#core.changes.setStatus(status);
  }

  /**
   * Replaces all properties of the instance; before the registration, the ones to register with.
   *
   * @throws ServiceCombError when the registry did not take them; they are then the ones before.
   */
  async setProperties(properties: Readonly<Record<string, string>>): Promise<void> {
    await this.#core.changes.setProperties(properties);
  }
}
