import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import type { Clock } from '../clock.js';
import { refOf } from '../handlers/instance-handlers.js';
import { failureOf } from '../model/attempt.js';
import { heartbeat } from '../model/instance-operations.js';
import type { RegistryModel } from '../model/registry-model.js';
import type { WebSocketRoute } from '../route-table.js';
import { attendHeartbeats, instanceGone } from './heartbeat-socket.js';
import { attendWatcher, frameOf, readLimitBytes, unknownServiceText } from './watcher.js';

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
      const connection = { socket, hangUp: () => incoming.socket.destroySoon() };
      if (kind === 'watcher') this.#watch(connection, call);
      else this.#beat(connection, call);
    });
  }

  /** Ends every connection, and leaves no timer. */
  close(): void {
    for (const end of this.#open) end();
  }

  #watch({ socket, hangUp }: Connection, call: Call): void {
    const { namespace } = call;
    const serviceId = call.parameter('serviceId');
    const isKnown = () => namespace.services.get(serviceId) !== undefined;
    if (!isKnown()) {
      socket.send(unknownServiceText);
      hangUp();
      return;
    }
    const ignore = this.#model.onPublished(change => {
      const { tenant, consumerIds } = change;
      if (tenant === namespace.name && consumerIds.includes(serviceId))
        socket.send(frameOf(change));
    });
    const leave = attendWatcher(socket, this.#clock, isKnown);
    this.#track(socket, () => {
      ignore();
      leave();
    });
  }

  #beat({ socket, hangUp }: Connection, call: Call): void {
    const ref = refOf(call);
    const close = () => {
      socket.close(instanceGone.code, instanceGone.reason);
      hangUp();
    };
    if (!call.namespace.services.get(ref.serviceId)?.instances.has(ref.instanceId)) {
      close();
      return;
    }
    const renew = () => failureOf(() => heartbeat(call.namespace, ref)) === undefined;
    const pingIntervalMs = this.#pingIntervalMs;
    const leave = attendHeartbeats(socket, this.#clock, { pingIntervalMs, renew, close });
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
  readonly hangUp: () => void;
}
