import { Server } from 'node:net';
import type { BackgroundWork } from '../background/background.js';
import type { Clock } from '../background/clock.js';

/** How long a server has to listen by itself until it counts: tests open one for a single request. */
export const settlingMs = 1_000;

/** How long after the start of an application its server should listen. */
export const silenceMs = 10_000;

/** The collaborators of a {@link ServerWatch}. */
export interface ServerWatchParts {
  readonly clock: Pick<Clock, 'now'>;
  /** The server of the HTTP adapter; anything but a server of Node is never seen to listen. */
  readonly server: unknown;
  /** Milliseconds that the server has to listen; Infinity if nobody minds. */
  readonly patienceMs: number;
  /** Called when something is due earlier than `tick()` has returned. */
  readonly wake: () => void;
  /** Called once, when the server listens. */
  readonly onListening: () => void;
  /** Called once, when the server does not listen in time. It may listen later. */
  readonly onSilence: () => void;
}

/** Watches whether the server of an application listens, also without `app.listen()`. */
export class ServerWatch implements BackgroundWork {
  readonly isUnconditional = true;
  #listensSince = Infinity;
  #silentAt = Infinity;
  readonly #server: Server | undefined;
  readonly #onListening = () => {
    this.#listensSince = this.parts.clock.now();
    this.parts.wake();
  };

  constructor(private readonly parts: ServerWatchParts) {
    this.#server = parts.server instanceof Server ? parts.server : undefined;
  }

  start(): void {
    this.#silentAt = this.parts.clock.now() + this.parts.patienceMs;
    this.#server?.on('listening', this.#onListening);
    if (this.#server?.listening === true) this.#onListening();
  }

  tick(): number {
    const now = this.parts.clock.now();
    if (now >= this.#listensSince + settlingMs) this.#settle();
    if (now >= this.#silentAt) this.#endPatience(now);
    return Math.min(this.#silentAt, this.#listensSince + settlingMs);
  }

  stop(): void {
    this.#server?.off('listening', this.#onListening);
    this.#listensSince = Infinity;
    this.#silentAt = Infinity;
  }

  #settle(): void {
    this.#listensSince = Infinity;
    if (this.#server?.listening !== true) return;
    this.stop();
    this.parts.onListening();
  }

  #endPatience(now: number): void {
    const isSettling = this.#server?.listening === true;
    this.#silentAt = isSettling ? now + settlingMs : Infinity;
    if (!isSettling) this.parts.onSilence();
  }
}

/** Runs something once, that long after the registration has begun. */
export class Later implements BackgroundWork {
  #dueAt: number | undefined;

  constructor(
    private readonly parts: {
      readonly clock: Pick<Clock, 'now'>;
      readonly afterMs: number;
      readonly run: () => void;
    },
  ) {}

  tick(): number {
    const now = this.parts.clock.now();
    this.#dueAt ??= now + this.parts.afterMs;
    if (now < this.#dueAt) return this.#dueAt;
    this.#dueAt = Infinity;
    this.parts.run();
    return Infinity;
  }

  /** Ends the wait for good. */
  stop(): void {
    this.#dueAt = Infinity;
  }
}
