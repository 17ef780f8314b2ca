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
import type { FrameAction, FrameContext, WatchFrame } from './fault.js';
import type { WatcherCut } from './faults.js';
import { Watcher, answerPings, readTimeoutMs } from './watcher.js';
import type { WebSocketConnection } from './watcher.js';
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
  readonly #sendFrame: SendFrame;
  readonly #open = new Set<() => void>();
  readonly #watchers = new Set<Watcher>();
  readonly #backlog = new Backlog<Watcher>();
  readonly #servers = {
    watcher: new WebSocketServer({ ...handshake, maxPayload: readLimitBytes }),
    heartbeat: new WebSocketServer(handshake),
  };

  constructor(model: RegistryModel, clock: Clock, settings: WebSocketSettings) {
    this.#model = model;
    this.#clock = clock;
    this.#pingIntervalMs = settings.pingIntervalMs;
    this.#sendFrame = settings.sendFrame;
  }

  /** Answers 101 and serves the connection. */
  accept(incoming: IncomingMessage, head: Buffer, { kind, call }: WebSocketRequest): void {
    this.#servers[kind].handleUpgrade(incoming, incoming.socket, head, socket => {
      // ws has answered a protocol error with a close frame; 'close' follows.
      socket.on('error', () => undefined);
      const connection = { socket, stream: incoming.socket };
      if (kind === 'watcher') this.#serveWatcher(connection, call);
      else this.#serveHeartbeats(connection, call);
    });
  }

  /** Closes every connection and stops its timers. */
  close(): void {
    for (const end of this.#open) end();
  }

  /** Closes every watcher without a close frame and returns their number. */
  cutWatchers(how: WatcherCut): number {
    const watchers = [...this.#watchers];
    for (const watcher of watchers) watcher.cut(how);
    return watchers.length;
  }

  /** Freezes every watcher that is open; the returned function ends that. */
  muteWatchers(): { readonly watchers: number; readonly end: () => void } {
    const watchers = [...this.#watchers];
    for (const watcher of watchers) watcher.mute();
    const end = () => {
      for (const watcher of watchers) watcher.unmute();
    };
    return { watchers: watchers.length, end };
  }

  #serveWatcher(connection: WebSocketConnection, call: Call): void {
    const { socket, stream } = connection;
    const { namespace } = call;
    const serviceId = call.parameter('serviceId');
    const isKnown = () => namespace.services.get(serviceId) !== undefined;
    if (!isKnown()) {
      socket.send(unknownServiceText);
      stream.destroySoon();
      return;
    }
    const watcher = new Watcher(connection, this.#clock, isKnown);
    this.#watchers.add(watcher);
    const ignore = this.#model.onPublished(change => {
      const { tenant, consumerIds } = change;
      if (tenant !== namespace.name || !consumerIds.includes(serviceId)) return;
      const text = changeFrame(change);
      const send = () => {
        watcher.send(text);
        this.#backlog.check(watcher);
      };
      const onEnd = (listener: () => void) => socket.once('close', listener);
      this.#sendFrame(frameOf(change, serviceId), { send, onEnd });
    });
    watcher.start();
    this.#track(socket, () => {
      ignore();
      this.#watchers.delete(watcher);
      this.#backlog.forget(watcher);
      watcher.stop();
    });
  }

  #serveHeartbeats({ socket, stream }: WebSocketConnection, call: Call): void {
    const ref = refOf(call);
    const close = () => {
      socket.close(instanceGone.code, instanceGone.reason);
      stream.destroySoon();
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

/** Sends a frame to a watcher, unless a fault does something else with it. */
type SendFrame = (frame: WatchFrame, context: FrameContext) => void;

/** Settings of the WebSockets of a registry. */
export interface WebSocketSettings {
  /** Milliseconds between the pings on a heartbeat connection. */
  readonly pingIntervalMs: number;
  readonly sendFrame: SendFrame;
}

/**
 * The longest data frame that a watcher may send, in bytes; its content is ignored (ReadMaxBody).
 */
const readLimitBytes = 64;

/** Text sent to the watcher of an unknown service (event.Center, AddSubscriber). */
const unknownServiceText = 'service does not exist';

/** The actions in frames: the end of a lease looks like a removal. */
const actions: Record<ChangeKind, FrameAction> = {
  registered: 'CREATE',
  updated: 'UPDATE',
  removed: 'DELETE',
  expired: 'DELETE',
};

function frameOf({ kind, service, instance }: InstanceChanged, consumerId: string): WatchFrame {
  const { serviceName } = service;
  return { action: actions[kind], serviceName, instanceId: instance.instanceId, consumerId };
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
