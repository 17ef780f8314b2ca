import type { Agent } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { setTimeout as delay } from 'node:timers/promises';
import { isServiceCombError } from '../../lib/errors.js';
import { type InstanceStatus, Registration, type RegistryEventName } from '../../lib/index.js';
import { Connections } from '../../lib/transport/http.js';
import { Ticker } from '../../lib/nest/ticker.js';
import { type Cleanup, createApp, optionsFor } from '../support/test-app.js';
import type { CallKind } from './schedule.js';

/** From one heartbeat to the next. */
export const intervalMs = 1_000;
/** Interval × (times + 1), as the registry grants it. */
export const leaseMs = 4_000;
/** What `leave()` may take. */
export const leaveMs = 3_000;

/** An event as the application heard it. */
export interface Heard {
  readonly name: RegistryEventName;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An application under test: the real module over real HTTP, and what it wants of its record. */
export class Subject {
  /** Whether the instance is to be listed; undefined while it is about to leave or to join. */
  isWanted: boolean | undefined = true;
  status: InstanceStatus = 'UP';
  properties: Readonly<Record<string, string>> = {};
  /** Called once `leave()` has resolved, with the time that it took. */
  onLeft: (tookMs: number) => void = () => undefined;
  #writes = 0;

  private constructor(
    readonly name: string,
    private readonly app: INestApplication,
  ) {}

  /** Starts one that knows the registry by these addresses. */
  static async start(
    cleanup: Cleanup,
    name: string,
    addresses: readonly [string, ...string[]],
  ): Promise<Subject> {
    const options = optionsFor(addresses[0], {
      serviceCenter: { addresses: [...addresses], timeoutMs: 1_500 },
      microservice: { serviceName: name, version: '1.0.0' },
      instance: { instanceId: name },
      heartbeat: { intervalMs },
      registration: { retry: undefined },
      shutdown: { timeoutMs: leaveMs },
    });
    const { app } = await createApp(cleanup, options);
    return new Subject(name, app);
  }

  async listen(): Promise<void> {
    await this.app.listen(0, '127.0.0.1');
  }

  close(): Promise<void> {
    return this.app.close();
  }

  get registration(): Registration {
    return this.app.get(Registration);
  }

  /** Turns of its ticker that failed by a bug. */
  get bugs(): number {
    return this.app.get(Ticker).faults;
  }

  /** Connections to the registry, in use or kept. */
  get sockets(): number {
    const agent: Agent = this.app.get(Connections).agents.httpAgent;
    const { sockets, freeSockets } = agent;
    return [...Object.values(sockets), ...Object.values(freeSockets)].flat().length;
  }

  get listeners(): number {
    return this.#emitter.listenersAny().length;
  }

  onEvent(listener: (heard: Heard) => void): void {
    this.#emitter.onAny((name, payload: Heard['payload']) =>
      listener({ name: String(name) as RegistryEventName, payload }),
    );
  }

  /** Does what a round asks for; resolves when it is done, never rejects but for a bug. */
  async call(kind: CallKind): Promise<void> {
    switch (kind) {
      case 'nothing':
        return;
      case 'status':
        return this.#setStatus();
      case 'properties':
        return this.#setProperties();
      case 'both':
        await Promise.all([this.#setStatus(), this.#setProperties(), this.#setStatus()]);
        return;
      case 'rejoin':
        return this.#rejoin();
      case 'write-and-rejoin': {
        const written = Promise.all([this.#setStatus(), this.#setProperties()]);
        await this.#rejoin();
        await written;
        return;
      }
    }
  }

  get #emitter(): EventEmitter2 {
    return this.app.get(EventEmitter2);
  }

  async #setStatus(): Promise<void> {
    this.#writes += 1;
    const status = this.#writes % 2 === 0 ? 'UP' : 'OUTOFSERVICE';
    if (await isTaken(this.registration.setStatus(status))) this.status = status;
  }

  async #setProperties(): Promise<void> {
    this.#writes += 1;
    const properties = { write: String(this.#writes) };
    if (await isTaken(this.registration.setProperties(properties))) this.properties = properties;
  }

  async #rejoin(): Promise<void> {
    this.isWanted = undefined;
    const beganAt = performance.now();
    await this.registration.leave();
    this.isWanted = false;
    this.onLeft(performance.now() - beganAt);
    await delay(500);
    this.isWanted = true;
    // It waits for the registry, and so for the end of the fault.
    this.registration.register().catch(() => undefined);
  }
}

/** A refusal of the registry is no bug: the registration then wants what it wanted before. */
async function isTaken(change: Promise<void>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (!isServiceCombError(error)) throw error;
    return false;
  }
}
