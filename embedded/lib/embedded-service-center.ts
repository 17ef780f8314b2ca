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

/** What the journal keeps of a body, in bytes. */
const recordedBodyBytes = 64 * 1024;

/**
 * A Service Center in this process: the wire protocol of Apache ServiceComb Service Center over
 * real HTTP, its data in memory. For development and for tests. **Never a production registry**:
 * its data ends with the process, nothing protects it unless asked to, and there is only one of it.
 *
 * Leases end on time by its clock; a find tells the truth and a watcher is told of it at once: it has
 * the lags of a real server only where `oddities` ask for them. It writes no logs and holds the process
 * only while it listens.
 */
export class EmbeddedServiceCenter {
  /** What goes wrong, on demand. */
  readonly faults: Faults;
  /** How far it is from a registry that is always on time. */
  readonly oddities: OddityKnobs;
  /** Makes tokens without a login, for tests; undefined without RBAC. */
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

  /** @throws RangeError for a profile that there is not, or a limit that cannot be one */
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
    this.#model = new RegistryModel(clock, { minIntervalMs, minTimes }, quotas, this.oddities);
    this.#delayed = new DelayedAnswers(clock);
    // The model has followed by then, so that the store answers again.
    this.oddities.onChange({
      after: (now, was) => {
        if (was.storeDown && !now.storeDown) this.#delayed.retry();
      },
    });
    this.#profile = activate(resolveProfile(options.profile, options.profileOverrides), clock);
    this.#api = new ServiceCenterApi(this.#model, this.#profile, rbac);
    this.#webSockets = new WebSockets(this.#model, clock, heartbeatPingMs(heartbeatPingIntervalMs));
    this.#listener = new Listener(
      { host, port, tls: options.tls },
      {
        receive: (incoming, response) => this.#receive(incoming, response),
        upgrade: (incoming, head) => this.#upgrade(incoming, head),
        refuseTunnel: incoming => this.#refuseTunnel(incoming),
      },
    );
    const [listener, { shared }] = [this.#listener, this.#model];
    const isStarted = () => this.#unregisterSelf !== undefined;
    this.faults = new Faults(
      faultTargetOf({ listener, shared, shut: () => this.#shut(), isStarted }),
    );
    this.#page = new PageApi({ model: this.#model, faults: this.faults, clock, host });
  }

  /** Address to give to clients, without a slash at its end; its port is 0 until one is known. */
  get url(): string {
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `${this.#scheme}://${host}:${this.#listener.port}`;
  }

  /** The last 10,000 requests, oldest first. */
  get requests(): readonly RecordedRequest[] {
    return this.#journal.requests;
  }

  /**
   * Limits of the vendor that clients did not keep: the last 1,000, oldest first. Which limits there
   * are depends on `profile` and `form`; Apache's Service Center has none.
   */
  get warnings(): readonly LimitWarning[] {
    return this.#profile.limits.warnings;
  }

  /**
   * Listens. Data of an earlier run is still there, except for leases that have ended since.
   * Without effect on one that listens.
   *
   * @throws Error that names the address when it cannot be had
   */
  async start(): Promise<{ readonly url: string }> {
    await this.#listener.open();
    this.faults.endRefusal();
    const at = { host: this.#host, port: this.#listener.port };
    this.#unregisterSelf ??= this.#model.registerSelf(newInstanceId(), at);
    return { url: this.url };
  }

  /**
   * Closes the port and every connection, answered or not. Faults stay on, data is kept, leases run
   * on. Without effect on one that does not listen.
   */
  async stop(): Promise<void> {
    await this.#shut();
    this.#unregisterSelf?.();
    this.#unregisterSelf = undefined;
  }

  /** All instances of all domains and projects, the Service Center's own excepted. */
  instances(): readonly LiveInstance[] {
    return this.#model.snapshot();
  }

  /** All its services and instances, the Service Center's own excepted, as plain JSON. */
  dump(): RegistryData {
    return dataOf(this.#model);
  }

  /**
   * Adds the services and instances of a dump, or of a document in the form of one that leaves out
   * what has a default. Their leases start in full, as after a restart of etcd. At any time, though a
   * service or an instance that is there already is not replaced, and counts as wrong.
   *
   * @throws RegistryDataError with all that is wrong; nothing has been added then
   */
  load(document: unknown): void {
    load(this.#model, document);
  }

  /** Drops an instance as if its lease had run out: its next heartbeat is answered 400017. */
  forget(instanceId: string): boolean {
    return this.#model.forget(instanceId);
  }

  /** Drops a service with its instances, schemas and tags. */
  forgetService(serviceId: string): boolean {
    return this.#model.forgetService(serviceId);
  }

  /**
   * Answers a request without a connection, whether it listens or not: for simulations, in which
   * `clock` decides how long anything takes. Faults do not apply, and `requests` does not list it.
   */
  answer(request: ApiRequest): ApiAnswer {
    const { status, headers, body, waitMs } = this.#finish(this.#api.answer(request));
    return { status, headers, body, waitMs };
  }

  /**
   * Tells a listener of each request once it has arrived in full, before it is executed. What the
   * listener throws is not caught. The returned function removes it.
   */
  onRequest(listener: RequestListener): () => void {
    return this.#journal.onRequest(listener);
  }

  /** Tells a listener of each warning; the returned function removes it. */
  onWarning(listener: WarningListener): () => void {
    return this.#profile.limits.onWarning(listener);
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

  /** Faults strike a handshake before the connection is a WebSocket, or not at all. */
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

  /** An answer in the words of this form of the registry, dated by its clock. */
  #finish(answer: Answer): Answer {
    if (answer === switchingProtocols) return answer;
    return withRegistryDate(withErrorFields(this.#profile.settings, answer), this.#model.shared);
  }
}

/** What a door leads to. */
export interface RegistryParts {
  readonly listener: Listener;
  readonly shared: SharedState;
  /** Closes the port and every connection. */
  readonly shut: () => Promise<void>;
  /** False once the registry has been stopped. */
  readonly isStarted: () => boolean;
}

/** What faults reach of a registry besides the requests that they hit. */
export function faultTargetOf({ listener, shared, shut, isStarted }: RegistryParts): FaultTarget {
  return {
    close: shut,
    // The end of a refusal opens nothing that has been stopped meanwhile.
    open: async () => {
      if (isStarted()) await listener.open();
    },
    closeIdle: () => listener.closeIdle(),
    withoutRenewals: act => shared.renewals.withoutRenewing(act),
    skew: ms => {
      shared.skewMs = ms;
    },
  };
}

/** Node dates each answer by this machine's clock, which is the registry's unless that is another one. */
export function withRegistryDate(answer: Answer, shared: SharedState): Answer {
  const now = shared.reportedNow();
  if (Math.abs(now - Date.now()) < 1_000) return answer;
  return { ...answer, headers: { Date: new Date(now).toUTCString(), ...answer.headers } };
}
