import type { WebSocket } from 'ws';
import { Alarm } from '../alarm.js';
import type { Clock } from '../clock.js';
import { readTimeoutMs } from './watcher.js';

/** What a client is told when its instance is gone (ErrWebsocketInstanceNotExists). */
export const instanceGone = {
  code: 4001,
  reason: 'heartbeat reporting failed because the instance does not exist',
} as const;

/** How the beats of one instance are asked for and counted. */
export interface Beats {
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
export function attendHeartbeats(socket: WebSocket, clock: Clock, beats: Beats): () => void {
  const deadline = new Alarm(clock, () => socket.terminate());
  const pings = new Alarm(clock, () => {
    socket.ping();
    pings.set(beats.pingIntervalMs);
  });
  socket.on('pong', () => {
    deadline.set(readTimeoutMs);
    if (!beats.renew()) beats.close();
  });
  pings.set(beats.pingIntervalMs);
  return () => {
    deadline.cancel();
    pings.cancel();
  };
}

/** The interval the server takes: 30 s for one that is shorter than a second or longer than an hour. */
export function heartbeatPingMs(wantedMs: number): number {
  return wantedMs >= 1000 && wantedMs <= 3_600_000 ? wantedMs : 30_000;
}
