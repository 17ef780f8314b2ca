import { EventEmitter } from 'node:events';
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  type Abstract,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { SchedulerRegistry } from '@nestjs/schedule';
import { DiscoveryCore } from '../discovery/core.js';
import { isServiceCombError, RegistryOptionsError } from '../errors.js';
import { EventPublisher } from '../events.js';
import { connectionWarnings } from '../options/connection-warnings.js';
import { addressTowards, networkAddresses } from '../options/host-addresses.js';
import type { HealthSource } from '../options/options.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { profileWarnings } from '../options/profiles.js';
import {
  isHostOpen,
  isServerReplaced,
  type ListeningServer,
} from '../options/published-address.js';
import { Channel } from '../protocol/channel.js';
import { Background } from '../background/background.js';
import { type Clock, within } from '../background/clock.js';
import { RegistrationCore } from '../registration/core.js';
import { HealthFollower } from '../registration/health-follower.js';
import { Pace } from '../registration/pace.js';
import { Connections } from '../transport/http.js';
import { TlsFiles } from '../transport/tls-files.js';
import { Discovery } from './discovery.js';
import { EndpointPublisher } from './endpoint-publisher.js';
import { isGood } from './health-answer.js';
import {
  areShutdownHooksOn,
  hostWithoutServer,
  importersBelowRoot,
  isScoped,
} from './host-application.js';
import { Later, ServerWatch, settlingMs, silenceMs } from './server-watch.js';
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
  readonly #endpoints: EndpointPublisher;

  constructor(
    @Inject(REGISTRY_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(REGISTRY_LOGGER) private readonly logger: RegistryLogger,
    @Inject(RegistrationCore) private readonly core: RegistrationCore,
    @Inject(DiscoveryCore) private readonly providers: DiscoveryCore,
    @Inject(Discovery) private readonly discovery: Discovery,
    @Inject(EventPublisher) private readonly publisher: EventPublisher,
    @Inject(Pace) private readonly pace: Pace,
    @Inject(Ticker) private readonly ticker: Ticker,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Connections) private readonly connections: Connections,
    @Inject(Channel) private readonly channel: Channel,
    @Inject(REGISTRY_CLOCK) private readonly clock: Clock,
  ) {
    const publish = (endpoints: readonly string[]) => core.publishAt(endpoints);
    const everyMs = pace.checkPeriodMs;
    const parts = { options, publish, logger, clock, everyMs, networkAddresses, addressTowards };
    this.#endpoints = new EndpointPublisher(parts);
  }

  /**
   * Looks up the providers that the application must bring, and starts the timer.
   * @throws RegistryOptionsError when ScheduleModule is missing, or this module is imported twice.
   */
  onModuleInit(): void {
    if (!this.options.enabled) return;
    for (const warning of [...this.options.warnings, ...profileWarnings(this.options)])
      this.logger.warn(warning);
    const emitter = this.#find(EventEmitter2);
    if (emitter === undefined && this.#hasAnotherCopyOf(EventEmitter2))
      this.logger.warn(otherEmitter);
    else if (emitter === undefined) this.logger.warn(noEmitter);
    else this.publisher.connect(emitter);
    const scheduler = this.#find(SchedulerRegistry);
    if (scheduler === undefined)
      throw hostError(
        'ScheduleModule',
        this.#hasAnotherCopyOf(SchedulerRegistry)
          ? 'is of another copy of @nestjs/schedule than the one that nestjs-servicecomb finds: ' +
              'run npm ls @nestjs/schedule, and keep one'
          : 'is missing: add ScheduleModule.forRoot() to the imports of your root module',
      );
    for (const warning of connectionWarnings(this.options.serviceCenter)) this.logger.warn(warning);
    this.#followHealth();
    this.#watchTls();
    if (!this.ticker.start(scheduler))
      throw hostError('RegistryModule', 'is imported twice: keep one RegistryModule.forRoot()');
  }

  /**
   * Registers, now or once the server listens, and asks for the providers of `discovery.warmUp`. The application
   * starts whether or not the registry answers, unless `failFast` is set.
   * @throws ServiceCombError with `failFast`, when the service could not be found or created
   */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.options.enabled) return;
    const start = this.#start();
    this.#checkShutdown();
    await Promise.all([this.#warmUp(), this.#begin(start)]);
  }

  async #begin(start: 'bootstrap' | 'listen' | 'manual' | 'never'): Promise<void> {
    if (start === 'never') return;
    if (isHostOpen(this.options.instance)) this.#followAddress();
    if (this.options.registration.failFast) await this.core.prepare();
    if (start === 'bootstrap' || !this.#hasServer || this.http.listening) void this.#serves(start);
    else this.#awaitServer(start);
  }

  /** Resolves when the providers are known, or the time is up. They are asked for all the same then. */
  async #warmUp(): Promise<void> {
    const { discovery, serviceCenter } = this.options;
    if (discovery.warmUp.length === 0) return;
    await within(serviceCenter.timeoutMs, this.providers.warmUp(), this.clock);
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
      // Calls go on from memory while the application drains.
      await this.providers.stop();
      this.discovery.close();
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
    const accepted = this.core.drain().catch((error: unknown) => {
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
    if (isScoped(this.#container, token))
      throw hostError(
        'instance.statusFromHealth',
        'must not name a request-scoped or transient provider: it is called outside of any request',
      );
    const source: HealthSource | undefined = this.#find(token);
    if (typeof source?.isHealthy !== 'function')
      throw hostError(
        'instance.statusFromHealth',
        'must name a provider of this application that has a method isHealthy()',
      );
    this.#follower = new HealthFollower({
      clock: this.clock,
      everyMs: this.pace.checkPeriodMs,
      isHealthy: async () => isGood(await source.isHealthy('application')),
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

  get #hasServer(): boolean {
    return Boolean(this.http.httpAdapter);
  }

  /** Returns what the registration waits for. */
  #start(): 'bootstrap' | 'listen' | 'manual' | 'never' {
    const hasServer = this.#hasServer;
    const { registration, instance } = this.options;
    const { when } = registration;
    if (when === 'listen' && !hasServer)
      throw hostError('registration.when', 'must not be "listen": no HTTP server will listen');
    if (when === 'bootstrap' && hasServer && !isServerReplaced(instance))
      throw hostError(
        'instance.endpoints',
        'must be set, with a host: at bootstrap no server listens yet',
      );
    if (when !== undefined) return when;
    if (hasServer) return 'listen';
    if (instance.endpoints !== undefined) return 'bootstrap';
    if (hostWithoutServer(this.#container) === 'microservice') {
      this.logger.warn(noEndpoint);
      return 'bootstrap';
    }
    this.logger.debug(notRegistered);
    return 'never';
  }

  /** Waits for `app.listen()`, for a server that listens by itself, or for neither where there are endpoints. */
  #awaitServer(when: 'listen' | 'manual'): void {
    const { registration, instance } = this.options;
    const needsServer = instance.endpoints === undefined || registration.when === 'listen';
    const patienceMs = needsServer ? silenceMs : settlingMs;
    const watch = new ServerWatch({
      clock: this.clock,
      server: this.http.httpAdapter.getHttpServer(),
      patienceMs: when === 'manual' ? Infinity : patienceMs,
      wake: () => this.ticker.wake(),
      onListening: () => void this.#serves(when),
      onSilence: () => {
        if (this.core.state !== 'idle') return;
        if (!needsServer) return void this.#serves(when);
        this.core.noteProblem(nothingListens);
        this.logger.warn(nothingListens);
      },
    });
    watch.start();
    this.core.addBackgroundWork(watch);
    // The server adds its endpoint to these once it listens.
    if (instance.endpoints !== undefined && isHostOpen(instance)) void this.#publish();
    this.http.listen$.subscribe(() => {
      watch.stop();
      void this.#serves(when);
    });
  }

  #followAddress(): void {
    this.#endpoints.prepare();
    this.core.addBackgroundWork(this.#endpoints);
  }

  async #serves(when: 'bootstrap' | 'listen' | 'manual'): Promise<void> {
    const hasEndpoints = !isHostOpen(this.options.instance) || (await this.#publish());
    if (hasEndpoints && when !== 'manual' && this.core.state === 'idle') this.#register();
  }

  /** An error cannot fail the start any more, since the server listens: it becomes an event and a state. */
  async #publish(): Promise<boolean> {
    try {
      const server: (ListeningServer & { readonly listening?: boolean }) | undefined =
        this.http.httpAdapter?.getHttpServer();
      const isListening = this.http.listening || server?.listening === true;
      await this.#endpoints.publish(isListening ? server : undefined);
      return true;
    } catch (error) {
      if (isServiceCombError(error)) this.core.refuse(error);
      else this.logger.error(`A bug kept the endpoints from being published: ${String(error)}`);
      return false;
    }
  }

  get #container(): ModulesContainer {
    return this.modules.get(ModulesContainer, { strict: false });
  }

  /** Warns of what keeps this application from leaving in time. Hooks may be switched on after the start. */
  #checkShutdown(): void {
    const importers = importersBelowRoot(this.#container, RegistrationLifecycle);
    if (importers.length > 0)
      this.logger.warn(
        `RegistryModule is imported by ${importers.join(', ')}, so that modules which Nest shuts down before it ` +
          'are gone while consumers still call this instance: import it in the root module, as its last import',
      );
    const { clock } = this;
    const run = () => {
      if (!areShutdownHooksOn()) this.logger.warn(hooksOff);
    };
    this.core.addBackgroundWork(new Later({ clock, afterMs: silenceMs, run }));
  }

  #register(): void {
    // Failures become events and states; it rejects only if the application closes before it succeeds.
    this.core.register().catch(() => undefined);
    this.ticker.wake();
  }

  /** Returns whether a module provides a class of the same name, as a second installation of its package has. */
  #hasAnotherCopyOf({ name }: Type): boolean {
    const modules = this.#find(ModulesContainer)?.values() ?? [];
    return [...modules].some(({ providers }) =>
      [...providers.keys()].some(
        // Node's emitter has the name of EventEmitter2, too.
        token => typeof token === 'function' && token.name === name && token !== EventEmitter,
      ),
    );
  }

  #find<T>(token: Type<T> | Abstract<T> | string | symbol): T | undefined {
    try {
      return this.modules.get(token, { strict: false });
    } catch {
      return undefined; // Nest throws when no module provides it.
    }
  }
}

const noEmitter =
  'No events are sent: add EventEmitterModule.forRoot() to the imports of your root module';

const otherEmitter =
  'No events are sent: EventEmitterModule is of another copy of @nestjs/event-emitter or eventemitter2 than the ' +
  'one that nestjs-servicecomb finds: run npm ls eventemitter2, and keep one';

const hooksOff =
  "Nest's shutdown hooks are off, so a stopped process stays listed until its lease ends: call " +
  'app.enableShutdownHooks(), unless code of your own closes the application at SIGTERM';

const nothingListens =
  'Nothing is registered, since the HTTP server of the application does not listen: call app.listen(), or ' +
  'set instance.endpoints if servers of your own serve the application';

const noEndpoint =
  'The microservice is registered without an endpoint, so that no consumer can connect to it: set ' +
  'instance.endpoints, such as ["tcp://10.0.0.7:3001"], or set registration.when to "bootstrap" if it is ' +
  'reached through a broker';

const notRegistered =
  'An application context is not registered by itself: set instance.endpoints or registration.when to ' +
  'register it';

function hostError(path: string, message: string): RegistryOptionsError {
  return new RegistryOptionsError([{ path, message }]);
}
