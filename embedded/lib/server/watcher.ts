import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { Timer } from '../clock.js';
import type { Clock } from '../clock.js';
import type { Reader } from './backlog.js';
import type { WatcherCut } from './faults.js';
import { tcpSocketOf } from './tls.js';

/** Milliseconds between two pings (server/pubsub/ws/options.go, HealthInterval). */
const pingIntervalMs = 30_000;

/**
 * Extra milliseconds before the first ping. The server checks twice a second whose ping is due
 * (health_check.go), so a client that sends one every 30 s is earlier and never gets one.
 */
const pingLagMs = 50;

/** Milliseconds without a ping or pong until a client counts as gone (ReadTimeout). */
export const readTimeoutMs = 120_000;

/** A watcher with more unread bytes is closed; the server waits 5 s for one and closes it, too. */
const maxUnreadBytes = 1024 * 1024;

/** Frames that may wait for a watcher (QueueSize in server/event/instance_event.go). */
const queueSize = 5000;

/** An open WebSocket. */
export interface WebSocketConnection {
  readonly socket: WebSocket;
  /** The TCP or TLS connection below it. */
  readonly stream: Socket;
}

/**
 * A client that is notified of changes. It is pinged until it sends a ping itself, and dropped after
 * a long silence. Pings also stop when its service is removed; the connection is then closed at its
 * deadline.
 */
export class Watcher implements Reader {
  readonly #socket: WebSocket;
  readonly #stream: Socket;
  readonly #deadline: Timer;
  readonly #pings: Timer;
  #mutes = 0;
  #waiting: string[] = [];

  /** @param isKnown returns whether the watching service is still registered */
  constructor({ socket, stream }: WebSocketConnection, clock: Clock, isKnown: () => boolean) {
    this.#socket = socket;
    this.#stream = stream;
    this.#deadline = new Timer(clock, () => {
      if (this.#isMuted) this.#heard();
      else this.close();
    });
    this.#pings = new Timer(clock, () => {
      if (!isKnown()) return;
      if (!this.#isMuted) socket.ping();
      this.#pings.start(pingIntervalMs);
    });
  }

  get waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Starts to ping and to listen. */
  start(): void {
    this.#socket.on('pong', () => this.#heard());
    // Always empty, contrary to RFC 6455 (WritePingPong).
    answerPings(this.#socket, () => '');
    this.#socket.on('ping', () => {
      this.#heard();
      this.#pings.cancel();
    });
    this.#heard();
    this.#pings.start(pingIntervalMs + pingLagMs);
  }

  /** Stops all timers. */
  stop(): void {
    this.#deadline.cancel();
    this.#pings.cancel();
    this.#waiting = [];
  }

  /** Sends a frame, or keeps it while the watcher is muted. */
  send(frame: string): void {
    if (this.#isMuted) return this.#keep(frame);
    this.#socket.send(frame);
    if (this.waitingBytes > maxUnreadBytes) this.close();
  }

  close(): void {
    this.#socket.terminate();
  }

  /** Ends the connection without a close frame. */
  cut(how: WatcherCut): void {
    if (how === 'fin') this.#stream.destroySoon();
    else tcpSocketOf(this.#stream).resetAndDestroy();
  }

  /** Sends and reads nothing until `unmute()` was called as often. */
  mute(): void {
    this.#mutes += 1;
    this.#socket.pause();
  }

  /** Sends the frames that wait, and reads again. */
  unmute(): void {
    this.#mutes -= 1;
    if (this.#isMuted || this.#socket.readyState !== this.#socket.OPEN) return;
    for (const frame of this.#waiting.splice(0)) this.send(frame);
    this.#heard();
    this.#socket.resume();
  }

  get #isMuted(): boolean {
    return this.#mutes > 0;
  }

  /** A full queue is emptied in silence (server/event/instance_subscriber.go, sendMessage). */
  #keep(frame: string): void {
    if (this.#waiting.length >= queueSize) this.#waiting = [];
    this.#waiting.push(frame);
  }

  #heard(): void {
    this.#deadline.start(readTimeoutMs);
  }
}

/**
 * Answers pings, but sends no pong while one waits for the client to read, as RFC 6455 allows:
 * pings without end must not pile up.
 */
export function answerPings(socket: WebSocket, pongFor: (ping: Buffer) => Buffer | string): void {
  let isWaiting = false;
  socket.on('ping', ping => {
    if (isWaiting) return;
    isWaiting = true;
    socket.pong(pongFor(ping), false, () => {
      isWaiting = false;
    });
  });
}
