import { Inject, Injectable } from '@nestjs/common';
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import type { InstanceStatus } from '../protocol/wire.js';
import { RegistrationCore } from '../registration/core.js';
import type { SchemaDocuments } from '../protocol/schema-documents.js';
import type { RegistrationSnapshot, RegistrationState } from '../registration/state.js';
import { Ticker } from './ticker.js';

/**
 * The registration of this process: its state, and the ways to change it.
 *
 * @example
 * ```ts
 * @Controller('maintenance')
 * export class MaintenanceController {
 *   constructor(private readonly registration: Registration) {}
 *
 *   @Post('start')
 *   start(): Promise<void> {
 *     return this.registration.setStatus('OUTOFSERVICE');
 *   }
 * }
 * ```
 */
@Injectable()
export class Registration {
  readonly #core: RegistrationCore;
  readonly #ticker: Pick<Ticker, 'lateMs'>;
  readonly #state: BehaviorSubject<RegistrationState>;

  /** @internal Made by the module: inject it. */
  constructor(
    @Inject(RegistrationCore) core: RegistrationCore,
    @Inject(Ticker) ticker: Pick<Ticker, 'lateMs'>,
  ) {
    this.#core = core;
    this.#ticker = ticker;
    this.#state = new BehaviorSubject(core.state);
    core.onChange(state => this.#state.next(state));
  }

  /** The state at this moment; `degraded`, `at-risk` and `lost` follow the clock. */
  get state(): RegistrationState {
    return this.#core.state;
  }

  /**
   * Emits the current state, then each new one when it begins. Never completes and never fails. All
   * subscribers get one state before the next, also when one of them calls `register()` or `leave()`.
   */
  get state$(): Observable<RegistrationState> {
    return this.#state.pipe(distinctUntilChanged());
  }

  /**
   * The status of the instance, which consumers go by: the one that is registered, or that it registers with. One
   * that {@link setStatus} has set counts at once, and no longer when the registry refuses it.
   */
  get status(): InstanceStatus {
    return this.#core.record.status;
  }

  /** Returns all that is known now: plain, frozen, safe to log. Sends nothing to the registry. */
  snapshot(): RegistrationSnapshot {
    const eventLoopLagMs = Math.round(this.#ticker.lateMs);
    return Object.freeze({ ...this.#core.snapshot(), eventLoopLagMs });
  }

  /**
   * Registers the instance and resolves once it holds a lease, however long that takes. A pause after
   * a failed or refused attempt ends, a second after that attempt at the earliest. Resolves at once when
   * there is a lease, and when the module is disabled. All callers that wait get the same promise.
   * @throws DOMException `AbortError` after {@link leave}, and once the application shuts down
   * @throws ServiceCombError a refusal, with `registration.failFast`
   */
  register(): Promise<void> {
    return this.#core.register();
  }

  /**
   * Takes the instance off the registry within `shutdown.timeoutMs`, and keeps it off until
   * {@link register} is called. Never rejects: a removal that fails is an event. Every caller gets the
   * same promise. The shutdown of the application does this by itself.
   */
  leave(): Promise<void> {
    return this.#core.leave();
  }

  /**
   * Changes the status. Without a lease, it sets the status to register with. Changes that are made together
   * are sent as one: the last. The status wins over `instance.statusFromHealth`: that follows the health again
   * once the status is UP and two checks in a row were good.
   * @throws RangeError when it is none; nothing is sent then
   * @throws ServiceCombError when the registry did not accept it; the status is then the old one.
   */
  async setStatus(status: InstanceStatus): Promise<void> {
    await this.#core.record.setStatus(status);
  }

  /**
   * Replaces all properties of the instance. Without a lease, it sets those to register with. Changes that are
   * made together are sent as one: the last.
   * @throws RangeError when they are no map of strings; nothing is sent then
   * @throws ServiceCombError when the registry did not accept them; they are then the old ones.
   */
  async setProperties(properties: Readonly<Record<string, string>>): Promise<void> {
    await this.#core.record.setProperties(properties);
  }

  /**
   * Sets the schemas of the service, instead of those of `schemas.documents`. They are uploaded before the next
   * registration, or soon after this call when there is a lease; only those are sent that the registry does not
   * store already. Failures are `servicecomb.schemas.failed`, and are repeated.
   * @throws RangeError when there are more than 100, or one cannot be sent; nothing changes then
   *
   * @example
   * ```ts
   * const document = SwaggerModule.createDocument(app, config);
   * app.get(Registration).setSchemas({ 'orders.rest': document });
   * await app.listen(3000);
   * ```
   */
  setSchemas(documents: SchemaDocuments): void {
    this.#core.setSchemas(documents);
  }
}
