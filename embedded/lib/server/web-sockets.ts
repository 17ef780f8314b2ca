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
import type { WebSocketRoute } from '../route-table.js';
import type { ChangeKind, InstanceChanged } from '../model/changes.js';

/** No subprotocol and no compression, whatever a client offers; who tracks the clients are we. */
const handshake = {
  noServer: true,
  clientTracking: false,
  handleProtocols: () => false as const,
};

/** The WebSocket connections of an embedded Service Center. */
export class WebSockets {
  readonly #model: RegistryModel;
  readonly #clock: Clock;
  readonly #pingIntervalMs: number;
  readonly #open = new Set<() => void>();
  readonly #servers = {
    watcher: new WebSocketServer({ ...handshake, maxPayload: readLimitBytes, autoPong: false }),
    heartbeat: new WebSocketServer(handshake),
  };

  /** @param pingIntervalMs milliseconds between the pings of a heartbeat connection */
  constructor(model: RegistryModel, clock: Clock, pingIntervalMs: number) {
    this.#model = model;
    this.#clock = clock;
    this.#pingIntervalMs = pingIntervalMs;
  }

  /** Answers 101 and serves the connection from then on. */
  accept(incoming: IncomingMessage, head: Buffer, { kind, call }: WebSocketRequest): void {
    this.#servers[kind].handleUpgrade(incoming, incoming.socket, head, socket => {
      // What a client does wrong ws has answered with a close frame; 'close' follows.
      socket.on('error', () => undefined);
      const connection = { socket, closeAfterSend: () => incoming.socket.destroySoon() };
      if (kind === 'watcher') this.#serveWatcher(connection, call);
      else this.#serveHeartbeats(connection, call);
    });
  }

  /** Ends every connection, and leaves no timer. */
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
    const ignore = this.#model.onPublished(change => {
      const { tenant, consumerIds } = change;
      if (tenant === namespace.name && consumerIds.includes(serviceId))
        socket.send(changeFrame(change));
    });
    const leave = serveWatcher(socket, this.#clock, isKnown);
    this.#track(socket, () => {
      ignore();
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

/** What a handshake asks for, and on whose behalf. */
export interface WebSocketRequest {
  readonly kind: WebSocketRoute;
  readonly call: Call;
  /** What answers the handshake. */
  readonly answer: () => Answer;
}

interface Connection {
  readonly socket: WebSocket;
  /** Closes the connection once all that was sent is out, without waiting for the client. */
  readonly closeAfterSend: () => void;
}

/** Between two pings (server/pubsub/ws/options.go, HealthInterval). */
const pingIntervalMs = 30_000;

/**
 * How much later the first one comes. The server looks twice a second whose ping is due
 * (health_check.go), so a client that pings each 30 s itself is ahead of it, and is never pinged.
 */
const pingLagMs = 50;

/** How long a client may neither ping nor pong before it counts as gone (ReadTimeout). */
export const readTimeoutMs = 120_000;

/** The longest data frame a watcher may send, in bytes; none is ever looked at (ReadMaxBody). */
export const readLimitBytes = 64;

/** What a watcher of an unknown service is told, as plain text (event.Center, AddSubscriber). */
export const unknownServiceText = 'service does not exist';

/** The frames' words: the end of a lease looks like a removal (contract.md 4.5). */
const actions: Record<ChangeKind, 'CREATE' | 'UPDATE' | 'DELETE'> = {
  registered: 'CREATE',
  updated: 'UPDATE',
  removed: 'DELETE',
  expired: 'DELETE',
};

/**
 * Pings a watching client until it pings itself, and drops it once it has been silent for too long.
 * Pings also end when its service is removed; the connection then dies at its deadline.
 *
 * @param isKnown tells whether the service that watches is still registered
 * @returns what ends all that
 */
export function serveWatcher(socket: WebSocket, clock: Clock, isKnown: () => boolean): () => void {
  const deadline = new Timer(clock, () => socket.terminate());
  const pings = new Timer(clock, () => {
    if (!isKnown()) return;
    socket.ping();
    pings.start(pingIntervalMs);
  });
  const heard = () => deadline.start(readTimeoutMs);
  socket.on('pong', heard);
  socket.on('ping', () => {
    heard();
    pings.cancel();
    // Always empty, against RFC 6455 (WritePingPong).
    socket.pong('');
  });
  heard();
  pings.start(pingIntervalMs + pingLagMs);
  return () => {
    deadline.cancel();
    pings.cancel();
  };
}

/** The text frame that tells of a change (pb.WatchInstanceResponse). */
export function changeFrame({ kind, tenant, service, instance }: InstanceChanged): string {
  const { environment, appId, serviceName, alias, version } = service;
  const key = { tenant, environment, appId, serviceName, alias, version };
  return goJson({ action: actions[kind], key, instance });
}

/** What a client is told when its instance is gone (ErrWebsocketInstanceNotExists). */
export const instanceGone = {
  code: 4001,
  reason: 'heartbeat reporting failed because the instance does not exist',
} as const;

/** How the connection of one instance are asked for and counted. */
export interface HeartbeatConnection {
  readonly pingIntervalMs: number;
  /** Renews the lease; false when there is none any more. */
  readonly renew: () => boolean;
  /** Ends the connection because the instance is gone. */
  readonly close: () => void;
}

/**
 * Pings a client for heartbeats: each pong, asked for or not, is one. That the instance is gone
 * shows with the next pong only; the deadline runs from the first one on
 * (server/service/heartbeat/websocket.go).
 *
 * @returns what ends all that
 */
export function serveHeartbeats(
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
  pings.start(connection.pingIntervalMs);
  return () => {
    deadline.cancel();
    pings.cancel();
  };
}

/** The interval the server takes: 30 s for one that is shorter than a second or longer than an hour. */
export function heartbeatPingMs(wantedMs: number): number {
  return wantedMs >= 1000 && wantedMs <= 3_600_000 ? wantedMs : 30_000;
}
