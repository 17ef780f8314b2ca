import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { goJson } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { Timer } from '../clock.js';
import type { Clock } from '../clock.js';
import { refOf } from '../handlers/instance-handlers.js';
import { registryErrorMessage } from '../model/registry-error.js';
import { heartbeat } from '../model/instance-operations.js';
import type { RegistryModel } from '../model/registry-model.js';
import { Backlog } from './backlog.js';
import type { Reader } from './backlog.js';
import type { WebSocketRoute } from '../route-table.js';
import type { ChangeKind, InstanceChanged } from '../model/changes.js';

/**
 * No subprotocol and no compression, whatever a client offers; clients are tracked, and their pings
 * answered, here.
 */
const handshake = {
  noServer: true,
  clientTracking: false,
  autoPong: false,
  handleProtocols: () => false as const,
};

/** The WebSocket connections of an embedded Service Center. */
export class WebSockets {
  readonly #model: RegistryModel;
  readonly #clock: Clock;
  readonly #pingIntervalMs: number;
  readonly #open = new Set<() => void>();
  readonly #backlog = new Backlog<Watcher>();
  readonly #servers = {
    watcher: new WebSocketServer({ ...handshake, maxPayload: readLimitBytes }),
    heartbeat: new WebSocketServer(handshake),
  };

  /** @param pingIntervalMs milliseconds between the pings on a heartbeat connection */
  constructor(model: RegistryModel, clock: Clock, pingIntervalMs: number) {
    this.#model = model;
    this.#clock = clock;
    this.#pingIntervalMs = pingIntervalMs;
  }

  /** Answers 101 and serves the connection. */
  accept(incoming: IncomingMessage, head: Buffer, { kind, call }: WebSocketRequest): void {
    this.#servers[kind].handleUpgrade(incoming, incoming.socket, head, socket => {
      // ws has answered a protocol error with a close frame; 'close' follows.
      socket.on('error', () => undefined);
      const connection = { socket, closeAfterSend: () => incoming.socket.destroySoon() };
      if (kind === 'watcher') this.#serveWatcher(connection, call);
      else this.#serveHeartbeats(connection, call);
    });
  }

  /** Closes every connection and stops its timers. */
  close(): void {
    for (const end of this.#open) end();
  }

  #serveWatcher({ socket, closeAfterSend }: Connection, call: Call): void {
    const { namespace } = call;
    const serviceId = call.parameter('serviceId');
    const isKnown = () => namespace.services.get(serviceId) !== undefined;
    if (!isKnown()) {
      socket.send(unknownServiceText);
      closeAfterSend();
      return;
    }
    const watcher = new Watcher(socket);
    const ignore = this.#model.onPublished(change => {
      const { tenant, consumerIds } = change;
      if (tenant !== namespace.name || !consumerIds.includes(serviceId)) return;
      watcher.send(changeFrame(change));
      this.#backlog.check(watcher);
    });
    const leave = serveWatcher(socket, this.#clock, isKnown);
    this.#track(socket, () => {
      ignore();
      this.#backlog.forget(watcher);
      leave();
    });
  }

  #serveHeartbeats({ socket, closeAfterSend }: Connection, call: Call): void {
    const ref = refOf(call);
    const close = () => {
      socket.close(instanceGone.code, instanceGone.reason);
      closeAfterSend();
    };
    if (!call.namespace.services.get(ref.serviceId)?.instances.has(ref.instanceId)) {
      close();
      return;
    }
    const renew = () => registryErrorMessage(() => heartbeat(call.namespace, ref)) === undefined;
    const pingIntervalMs = this.#pingIntervalMs;
    const leave = serveHeartbeats(socket, this.#clock, { pingIntervalMs, renew, close });
    this.#track(socket, leave);
  }

  #track(socket: WebSocket, leave: () => void): void {
    const end = () => {
      this.#open.delete(end);
      leave();
      socket.terminate();
    };
    this.#open.add(end);
    socket.once('close', end);
  }
}

/** A WebSocket that a handshake asks for. */
export interface WebSocketRequest {
  readonly kind: WebSocketRoute;
  readonly call: Call;
  /** Returns the answer to the handshake. */
  readonly answer: () => Answer;
}

interface Connection {
  readonly socket: WebSocket;
  /** Closes the connection once all data is sent, without waiting for the client. */
  readonly closeAfterSend: () => void;
}

/** A watcher with more unread bytes is closed; the server waits 5 s for one and closes it, too. */
const maxUnreadBytes = 1024 * 1024;

/** A client that is notified of changes. */
class Watcher implements Reader {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: string): void {
    this.#socket.send(frame);
    if (this.waitingBytes > maxUnreadBytes) this.close();
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** Milliseconds between two pings (server/pubsub/ws/options.go, HealthInterval). */
const pingIntervalMs = 30_000;

/**
 * Extra milliseconds before the first ping. The server checks twice a second whose ping is due
 * (health_check.go), so a client that sends one every 30 s is earlier and never gets one.
 */
const pingLagMs = 50;

/** Milliseconds without a ping or pong until a client counts as gone (ReadTimeout). */
const readTimeoutMs = 120_000;

/**
 * The longest data frame that a watcher may send, in bytes; its content is ignored (ReadMaxBody).
 */
const readLimitBytes = 64;

/** Text sent to the watcher of an unknown service (event.Center, AddSubscriber). */
const unknownServiceText = 'service does not exist';

/** The actions in frames: the end of a lease looks like a removal. */
const actions: Record<ChangeKind, 'CREATE' | 'UPDATE' | 'DELETE'> = {
  registered: 'CREATE',
  updated: 'UPDATE',
  removed: 'DELETE',
  expired: 'DELETE',
};

/**
 * Pings a watcher until it sends a ping itself, and drops it after a long silence. Pings also stop
 * when its service is removed; the connection is then closed at its deadline.
 *
 * @param isKnown returns whether the watching service is still registered
 * @returns a function that stops all timers
 */
function serveWatcher(socket: WebSocket, clock: Clock, isKnown: () => boolean): () => void {
  const deadline = new Timer(clock, () => socket.terminate());
  const pings = new Timer(clock, () => {
    if (!isKnown()) return;
    socket.ping();
    pings.start(pingIntervalMs);
  });
  const heard = () => deadline.start(readTimeoutMs);
  socket.on('pong', heard);
  // Always empty, contrary to RFC 6455 (WritePingPong).
  answerPings(socket, () => '');
  socket.on('ping', () => {
    heard();
    pings.cancel();
  });
  heard();
  pings.start(pingIntervalMs + pingLagMs);
  return () => {
    deadline.cancel();
    pings.cancel();
  };
}

/**
 * Answers pings, but sends no pong while one waits for the client to read, as RFC 6455 allows:
 * pings without end must not pile up.
 */
function answerPings(socket: WebSocket, pongFor: (ping: Buffer) => Buffer | string): void {
  let isWaiting = false;
  socket.on('ping', ping => {
    if (isWaiting) return;
    isWaiting = true;
    socket.pong(pongFor(ping), false, () => {
      isWaiting = false;
    });
  });
}

/** Returns the text frame for a change (pb.WatchInstanceResponse). */
function changeFrame({ kind, tenant, service, instance }: InstanceChanged): string {
  const { environment, appId, serviceName, alias, version } = service;
  const key = { tenant, environment, appId, serviceName, alias, version };
  return goJson({ action: actions[kind], key, instance });
}

/** Close code and reason after the instance was removed (ErrWebsocketInstanceNotExists). */
const instanceGone = {
  code: 4001,
  reason: 'heartbeat reporting failed because the instance does not exist',
} as const;

/** The heartbeat connection of one instance. */
interface HeartbeatConnection {
  readonly pingIntervalMs: number;
  /** Renews the lease; returns false if the instance is gone. */
  readonly renew: () => boolean;
  /** Closes the connection because the instance is gone. */
  readonly close: () => void;
}

/**
 * Sends pings and counts each pong, requested or not, as a heartbeat. Only the next pong reveals
 * that the instance is gone; the deadline runs from the first pong on
 * (server/service/heartbeat/websocket.go).
 *
 * @returns a function that stops all timers
 */
function serveHeartbeats(
  socket: WebSocket,
  clock: Clock,
  connection: HeartbeatConnection,
): () => void {
  const deadline = new Timer(clock, () => socket.terminate());
  const pings = new Timer(clock, () => {
    socket.ping();
    pings.start(connection.pingIntervalMs);
  });
  socket.on('pong', () => {
    deadline.start(readTimeoutMs);
    if (!connection.renew()) connection.close();
  });
  answerPings(socket, ping => ping);
  pings.start(connection.pingIntervalMs);
  return () => {
    deadline.cancel();
    pings.cancel();
  };
}

/**
 * Returns the interval that the server uses: 30 s instead of one below a second or above an hour.
 */
export function heartbeatPingMs(wantedMs: number): number {
  return wantedMs >= 1000 && wantedMs <= 3_600_000 ? wantedMs : 30_000;
}
