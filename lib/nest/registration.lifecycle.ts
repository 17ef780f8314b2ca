import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  type Abstract,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { SchedulerRegistry } from '@nestjs/schedule';
import { isServiceCombError, RegistryOptionsError } from '../errors.js';
import { EventPublisher } from '../events.js';
import { connectionWarnings } from '../options/connection-warnings.js';
import { networkAddresses } from '../options/host-facts.js';
import type { HealthSource } from '../options/options.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { profileWarnings } from '../options/profiles.js';
import { publishedEndpoint } from '../options/published-address.js';
import { Channel } from '../protocol/channel.js';
import { Background } from '../registration/background.js';
import { type Clock, within } from '../registration/clock.js';
import { RegistrationCore } from '../registration/core.js';
import { HealthFollower } from '../registration/health-follower.js';
import { Pace } from '../registration/pace.js';
import { Connections } from '../transport/http.js';
import { TlsFiles } from '../transport/tls-files.js';
import { Ticker } from './ticker.js';
import {
  REGISTRY_CLOCK,
  REGISTRY_LOGGER,
  REGISTRY_OPTIONS,
  type RegistryLogger,
} from './tokens.js';

/** Registers the application once it serves, and unregisters it while it still does. */
@Injectable()
export class RegistrationLifecycle
  implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy
{
  #leaving: Promise<void> | undefined;
  #follower: HealthFollower | undefined;

  constructor(
    @Inject(REGISTRY_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(REGISTRY_LOGGER) private readonly logger: RegistryLogger,
    @Inject(RegistrationCore) private readonly core: RegistrationCore,
    @Inject(EventPublisher) private readonly publisher: EventPublisher,
    @Inject(Pace) private readonly pace: Pace,
    @Inject(Ticker) private readonly ticker: Ticker,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Connections) private readonly connections: Connections,
    @Inject(Channel) private readonly channel: Channel,
    @Inject(REGISTRY_CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Looks up the providers that the application must bring, and starts the timer.
   * @throws RegistryOptionsError when ScheduleModule is missing, or this module is imported twice.
   */
  onModuleInit(): void {
    if (!this.options.enabled) return;
    for (const warning of profileWarnings(this.options)) this.logger.warn(warning);
    const emitter = this.#find(EventEmitter2);
    if (emitter === undefined)
      this.logger.warn(
        'No events are sent: add EventEmitterModule.forRoot() to the imports of your root module',
      );
    else this.publisher.connect(emitter);
    const scheduler = this.#find(SchedulerRegistry);
    if (scheduler === undefined)
      throw hostError(
        'ScheduleModule',
        'is missing: add ScheduleModule.forRoot() to the imports of your root module',
      );
    for (const warning of connectionWarnings(this.options.serviceCenter)) this.logger.warn(warning);
    this.#followHealth();
    this.#watchTls();
    if (!this.ticker.start(scheduler))
      throw hostError('RegistryModule', 'is imported twice: keep one RegistryModule.forRoot()');
  }

  /**
   * Registers, now or once the server listens. The application starts whether or not the registry
   * answers, unless `failFast` is set.
   * @throws ServiceCombError with `failFast`, when the service could not be found or created
   */
  async onApplicationBootstrap(): Promise<void> {
    const { enabled, registration, instance } = this.options;
    if (!enabled) return;
    const hasServer = Boolean(this.http.httpAdapter);
    const when = registration.when ?? (hasServer ? 'listen' : 'bootstrap');
    if (when === 'listen' && !hasServer)
      throw hostError('registration.when', 'must not be "listen": no HTTP server will listen');
    if (when === 'bootstrap' && hasServer && instance.endpoints === undefined)
      throw hostError('instance.endpoints', 'must be set: at bootstrap no server listens yet');
    if (registration.failFast) await this.core.prepare();
    if (when === 'bootstrap') this.#register();
    else if (hasServer && this.http.listening) this.#serverListens(when);
    else if (hasServer) this.http.listen$.subscribe(() => this.#serverListens(when));
  }

  /** Leaves while HTTP is still served, then goes on serving for `shutdown.drainMs`. */
  onModuleDestroy(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    const wasListed = this.core.snapshot().registrations > 0;
    const { drainMs, statusFirst } = this.options.shutdown;
    try {
      if (wasListed && statusFirst) await this.#drainOutOfService();
      await this.core.close();
      await this.ticker.stop();
      this.channel.credentials.stop();
      this.connections.closeIdle();
    } catch (error) {
      this.logger.error(
        `A bug kept the instance from leaving; it stays listed until its lease ends: ${String(error)}`,
      );
    }
    if (wasListed && !statusFirst && drainMs > 0) await this.clock.delay(drainMs);
  }

  /** Keeps consumers away while the application goes on serving. Heartbeats are sent meanwhile. */
  async #drainOutOfService(): Promise<void> {
    const { drainMs, timeoutMs } = this.options.shutdown;
    this.#follower?.retire();
    const accepted = this.core.record.setStatus('OUTOFSERVICE').catch((error: unknown) => {
      this.logger.warn(
        `Could not set OUTOFSERVICE before leaving: ${String(error)}; the instance leaves all the same`,
      );
    });
    await within(timeoutMs, accepted, this.clock);
    await this.clock.delay(drainMs);
  }

  #followHealth(): void {
    const token = this.options.instance.statusFromHealth;
    if (token === undefined) return;
    const source: HealthSource | undefined = this.#find(token);
    if (typeof source?.isHealthy !== 'function')
      throw hostError(
        'instance.statusFromHealth',
        'must name a provider of this application that has a method isHealthy()',
      );
    this.#follower = new HealthFollower({
      clock: this.clock,
      everyMs: this.pace.checkPeriodMs,
      isHealthy: async () => source.isHealthy(),
      record: this.core.record,
    });
    this.core.addBackgroundWork(this.#follower);
  }

  #watchTls(): void {
    const { files, material } = this.options.serviceCenter.tls;
    if (files === undefined) return;
    const work = new TlsFiles(files, {
      used: material?.() ?? {},
      clock: this.clock,
      everyMs: this.pace.checkPeriodMs,
      renew: material => this.connections.renew(material),
      logger: this.logger,
      background: new Background(),
    });
    this.core.addBackgroundWork(work);
  }

  #serverListens(when: 'listen' | 'manual'): void {
    const hasEndpoint = this.options.instance.endpoints !== undefined || this.#publishServer();
    if (hasEndpoint && when === 'listen' && this.core.state === 'idle') this.#register();
  }

  /** An error cannot fail the start any more, since the server listens: it becomes an event and a state. */
  #publishServer(): boolean {
    try {
      const server: Parameters<typeof publishedEndpoint>[0] = this.http.httpAdapter.getHttpServer();
      const { endpoint, warning } = publishedEndpoint(server, this.options, networkAddresses());
      if (warning !== undefined) this.logger.warn(warning);
      this.core.publishAt([endpoint]);
      return true;
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      this.core.refuse(error);
      return false;
    }
  }

  #register(): void {
    if (process.listenerCount('SIGTERM') === 0)
      this.logger.warn(
        'Shutdown hooks are off, so a stopped process stays listed until its lease ends: ' +
          'call app.enableShutdownHooks()',
      );
    // Failures become events and states; it rejects only if the application closes before it succeeds.
    this.core.register().catch(() => undefined);
    this.ticker.wake();
  }

  #find<T>(token: Type<T> | Abstract<T> | string | symbol): T | undefined {
    try {
      return this.modules.get(token, { strict: false });
    } catch {
      return undefined; // Nest throws when no module provides it.
    }
  }
}

function hostError(path: string, message: string): RegistryOptionsError {
  return new RegistryOptionsError([{ path, message }]);
}
