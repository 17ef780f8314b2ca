import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer, ApiAnswer } from './api/answer.js';
import type { ApiRequest } from './api/call.js';
import { maxBodyBytes } from './route-table.js';
import { ServiceCenterApi, operationOf } from './service-center-api.js';
import { systemClock } from './clock.js';
import type { Clock } from './clock.js';
import { dataOf } from './data/dump.js';
import { load } from './data/load.js';
import type { RegistryData } from './data/registry-data.js';
import { activate } from './profiles/client-limits.js';
import type { ActiveProfile, LimitWarning, WarningListener } from './profiles/client-limits.js';
import { withErrorFields } from './profiles/profile-answers.js';
import { resolveProfile } from './profiles/profile.js';
import type { EmbeddedServiceCenterOptions } from './embedded-service-center-options.js';
import { newInstanceId } from './model/instance-operations.js';
import { resolveQuotas } from './model/quotas.js';
import { RegistryModel } from './model/registry-model.js';
import type { LiveInstance } from './model/registry-model.js';
import { OddityKnobs } from './model/oddities.js';
import { PageApi } from './page/page-api.js';
import { Rbac } from './rbac/rbac.js';
import type { TokenSigner } from './rbac/rbac.js';
import {
  HttpExchange,
  requestOf,
  Handshake,
  isHandshake,
  switchingProtocols,
  readBody,
} from './server/exchange.js';
import type { Exchange } from './server/exchange.js';
import { Faults } from './server/faults.js';
import type { FaultTarget } from './server/faults.js';
import { DelayedAnswers } from './server/delayed-answers.js';
import { Journal, withoutSecrets } from './server/journal.js';
import type { RecordedRequest, RequestListener } from './server/journal.js';
import { Listener } from './server/listener.js';
import { heartbeatPingMs, WebSockets } from './server/web-sockets.js';
import type { SharedState } from './model/shared-state.js';

/** How many bytes of a body the journal keeps. */
const recordedBodyBytes = 64 * 1024;

/**
 * A Service Center in this process: the protocol of Apache ServiceComb Service Center over real
 * HTTP, with its data in memory. It is for development and tests and **never a production
 * registry**: its data ends with the process, nothing protects it by default, and there is only one
 * node.
 *
 * Leases end exactly on time by its clock, and every change is visible at once; it has the delays
 * of a real server only if `oddities` ask for them. It writes no logs, and keeps the process alive
 * only while it listens.
 *
 * @example
 * ```ts
 * const registry = new EmbeddedServiceCenter({ port: 0 });
 * const { url } = await registry.start();
 * registry.faults.hang({ operation: 'heartbeat', times: 3 });
 * await registry.stop();
 * ```
 */
export class EmbeddedServiceCenter {
  /** Faults that can be switched on. */
  readonly faults: Faults;
  /** The delays and losses that are on, each a knob. */
  readonly oddities: OddityKnobs;
  /** Creates tokens without a login, for tests; undefined without RBAC. */
  readonly rbac: TokenSigner | undefined;
  readonly #clock: Clock;
  readonly #host: string;
  readonly #profile: ActiveProfile;
  readonly #scheme: 'http' | 'https';
  readonly #model: RegistryModel;
  readonly #api: ServiceCenterApi;
  readonly #delayed: DelayedAnswers;
  readonly #journal = new Journal();
  readonly #listener: Listener;
  readonly #webSockets: WebSockets;
  readonly #page: PageApi;
  #unregisterSelf: (() => void) | undefined;

  /** @throws RangeError for an unknown profile or an invalid limit */
  constructor(options: EmbeddedServiceCenterOptions = {}) {
    const { port = 30_100, host = '127.0.0.1', clock = systemClock } = options;
    const { minIntervalMs = 5000, minTimes = 3, heartbeatPingIntervalMs = 30_000 } = options;
    this.#clock = clock;
    this.#host = host;
    this.#scheme = options.tls === undefined ? 'http' : 'https';
    const quotas = resolveQuotas(options.quotas);
    const rbac = options.rbac && new Rbac(options.rbac, clock, quotas);
    this.rbac = rbac;
    this.oddities = new OddityKnobs(options.oddities);
    this.#model = new RegistryModel(clock, {
      floors: { minIntervalMs, minTimes },
      quotas,
      oddities: this.oddities,
      sharedServices: options.sharedServices,
    });
    this.#delayed = new DelayedAnswers(clock);
    // The model was notified first, so the store answers again.
    this.oddities.onChange({
      after: (now, was) => {
        if (was.storeDown && !now.storeDown) this.#delayed.retry();
      },
    });
    this.#profile = activate(resolveProfile(options.profile, options.profileOverrides), clock);
    this.#api = new ServiceCenterApi(this.#model, this.#profile, rbac);
    this.#webSockets = new WebSockets(this.#model, clock, {
      pingIntervalMs: heartbeatPingMs(heartbeatPingIntervalMs),
      sendFrame: (frame, context) => this.faults.sendFrame(frame, context),
    });
    this.#listener = new Listener(
      { host, port, tls: options.tls },
      {
        receive: (incoming, response) => this.#receive(incoming, response),
        upgrade: (incoming, head) => this.#upgrade(incoming, head),
        refuseTunnel: incoming => this.#refuseTunnel(incoming),
      },
    );
    this.faults = new Faults(
      faultTargetOf({
        listener: this.#listener,
        webSockets: this.#webSockets,
        shared: this.#model.shared,
        shut: () => this.#shut(),
        isStarted: () => this.#unregisterSelf !== undefined,
      }),
    );
    this.#page = new PageApi({
      model: this.#model,
      faults: this.faults,
      reset: () => this.reset(),
      clock,
      host,
      setup: { profile: options.profile ?? 'open-source', oddities: this.oddities },
      dump: () => this.dump(),
    });
  }

  /** Address for clients, without a trailing slash; its port is 0 until one is known. */
  get url(): string {
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `${this.#scheme}://${host}:${this.#listener.port}`;
  }

  /** Returns the last 10,000 requests, oldest first. */
  get requests(): readonly RecordedRequest[] {
    return this.#journal.requests;
  }

  /**
   * Returns the last 1,000 warnings about limits of the vendor that clients exceeded, oldest first.
   * The limits depend on `profile` and `profileOverrides`; Apache's Service Center has none.
   */
  get warnings(): readonly LimitWarning[] {
    return this.#profile.limits.warnings;
  }

  /**
   * Starts listening. Data of an earlier run is kept, except for leases that have ended since. Has
   * no effect while it listens.
   *
   * @throws Error that names the address if it is not available
   */
  async start(): Promise<{ readonly url: string }> {
    await this.#listener.open();
    this.faults.endRefusal();
    this.#unregisterSelf ??= this.#registerSelf();
    return { url: this.url };
  }

  /**
   * Closes the port and every connection, even those with an open request. Faults and data are
   * kept, and leases go on running. Has no effect while it does not listen.
   */
  async stop(): Promise<void> {
    await this.#shut();
    this.#unregisterSelf?.();
    this.#unregisterSelf = undefined;
  }

  /**
   * Forgets all services, instances and dependencies, and counts revisions from the beginning again,
   * as a server that is restarted on an empty store. It goes on listening, but every WebSocket is cut.
   * Accounts, faults, oddities, `requests` and `warnings` stay.
   */
  reset(): void {
    this.#webSockets.close();
    this.#model.clear();
    if (this.#unregisterSelf !== undefined) this.#unregisterSelf = this.#registerSelf();
  }

  /** Returns all instances of all domains and projects, except the Service Center's own. */
  instances(): readonly LiveInstance[] {
    return this.#model.snapshot();
  }

  /** Returns all services and instances, except the Service Center's own, as plain JSON. */
  dump(): RegistryData {
    return dataOf(this.#model);
  }

  /**
   * Adds the services and instances of a dump, or of a shorter document whose missing fields get
   * their defaults. Leases start in full, as after a restart of etcd. Can be called at any time,
   * but a service or instance that exists already is an error.
   *
   * @throws RegistryDataError that lists every issue; nothing has been added then
   */
  load(document: unknown): void {
    load(this.#model, document);
  }

  /**
   * Removes an instance as if its lease had ended, so that its next heartbeat is answered 400017.
   * Returns false if there is no such instance.
   */
  forget(instanceId: string): boolean {
    return this.#model.forget(instanceId);
  }

  /**
   * Removes a service with its instances, schemas and tags. Returns false if there is no such
   * service.
   */
  forgetService(serviceId: string): boolean {
    return this.#model.forgetService(serviceId);
  }

  /**
   * Answers a request without a connection, whether it listens or not. Meant for simulations in
   * which `clock` decides how long everything takes. Faults do not apply, and `requests` does not
   * contain it.
   */
  answer(request: ApiRequest): ApiAnswer {
    const { status, headers, body, waitMs } = this.#finish(this.#api.answer(request));
    return { status, headers, body, waitMs };
  }

  /**
   * Calls a listener for each request that has arrived in full, before it is executed. Errors of
   * the listener are not caught. The returned function removes it.
   */
  onRequest(listener: RequestListener): () => void {
    return this.#journal.onRequest(listener);
  }

  /** Calls a listener for each warning; the returned function removes it. */
  onWarning(listener: WarningListener): () => void {
    return this.#profile.limits.onWarning(listener);
  }

  /** Returns a function that removes the Service Center's own instance. */
  #registerSelf(): () => void {
    const at = { host: this.#host, port: this.#listener.port };
    return this.#model.registerSelf(newInstanceId(), at);
  }

  #shut(): Promise<void> {
    this.#webSockets.close();
    this.#page.close();
    return this.#listener.close();
  }

  #receive(incoming: IncomingMessage, response: ServerResponse): void {
    if (PageApi.isFor(incoming)) return this.#page.receive(incoming, response);
    readBody(incoming, maxBodyBytes, body => {
      const exchange = new HttpExchange(incoming, response, body);
      this.#handle(exchange, () => this.#api.answer(exchange.request));
    });
  }

  /** A fault for requests applies to the handshake only, not to the WebSocket afterwards. */
  #upgrade(incoming: IncomingMessage, head: Buffer): boolean {
    if (!isHandshake(incoming)) return false;
    const webSocket = this.#api.webSocketOf(requestOf(incoming), switchingProtocols);
    if (webSocket === undefined) return false;
    const accept = () => this.#webSockets.accept(incoming, head, webSocket);
    this.#handle(new Handshake(incoming, accept), webSocket.answer);
    return true;
  }

  #refuseTunnel(incoming: IncomingMessage): void {
    const exchange = new Handshake(incoming, () => undefined);
    this.#handle(exchange, () => this.#api.answer(exchange.request));
  }

  #handle(exchange: Exchange, execute: () => Answer): void {
    const { request } = exchange;
    const { method, target, headers, body } = request;
    const matchable = { operation: operationOf(request), method, path: target };
    const note = this.#journal.add({
      at: this.#clock.now(),
      ...matchable,
      ...withoutSecrets({
        path: target,
        headers,
        body: body.subarray(0, recordedBodyBytes).toString(),
      }),
    });
    const sendNow = (answer: Answer) => {
      if (!exchange.isOpen) return;
      exchange.send(this.#finish(answer));
      note(answer.status);
    };
    const send = (answer: Answer) =>
      this.#delayed.send({ exchange, execute, send: sendNow }, answer);
    const fault = this.faults.find(matchable);
    if (fault === undefined) send(execute());
    else fault.apply({ exchange, execute: () => this.#finish(execute()), send, note });
  }

  /** Applies the error format of the profile and the registry's date to an answer. */
  #finish(answer: Answer): Answer {
    if (answer === switchingProtocols) return answer;
    return withRegistryDate(withErrorFields(this.#profile.settings, answer), this.#model.shared);
  }
}

/** Parts of a registry that faults act on. */
interface RegistryParts {
  readonly listener: Listener;
  readonly webSockets: WebSockets;
  readonly shared: SharedState;
  /** Closes the port and every connection. */
  readonly shut: () => Promise<void>;
  /** Returns false once the registry has been stopped. */
  readonly isStarted: () => boolean;
}

/** Returns the operations of a registry that faults need besides the request. */
function faultTargetOf(parts: RegistryParts): FaultTarget {
  const { listener, webSockets, shared, shut, isStarted } = parts;
  return {
    close: shut,
    // The end of a refusal must not open a registry that was stopped meanwhile.
    open: async () => {
      if (isStarted()) await listener.open();
    },
    closeIdle: () => listener.closeIdle(),
    cutWatchers: how => webSockets.cutWatchers(how),
    muteWatchers: () => webSockets.muteWatchers(),
    withoutRenewals: act => shared.renewals.withoutRenewing(act),
    skew: ms => {
      shared.skewMs = ms;
    },
  };
}

/**
 * Sets the date of the registry's clock if it differs from this machine's, which Node would send.
 */
function withRegistryDate(answer: Answer, shared: SharedState): Answer {
  const now = shared.reportedNow();
  if (Math.abs(now - Date.now()) < 1_000) return answer;
  return { ...answer, headers: { Date: new Date(now).toUTCString(), ...answer.headers } };
}
