import type { WebSocket } from 'ws';
import { goJson } from '../api/answer.js';
import { Alarm } from '../alarm.js';
import type { Clock } from '../clock.js';
import type { ChangeKind, InstanceChanged } from '../model/changes.js';

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
export function attendWatcher(socket: WebSocket, clock: Clock, isKnown: () => boolean): () => void {
  const deadline = new Alarm(clock, () => socket.terminate());
  const pings = new Alarm(clock, () => {
    if (!isKnown()) return;
    socket.ping();
    pings.set(pingIntervalMs);
  });
  const heard = () => deadline.set(readTimeoutMs);
  socket.on('pong', heard);
  socket.on('ping', () => {
    heard();
    pings.cancel();
    // Always empty, against RFC 6455 (WritePingPong).
    socket.pong('');
  });
  heard();
  pings.set(pingIntervalMs + pingLagMs);
  return () => {
    deadline.cancel();
    pings.cancel();
  };
}

/** The text frame that tells of a change (pb.WatchInstanceResponse). */
export function frameOf({ kind, tenant, service, instance }: InstanceChanged): string {
  const { environment, appId, serviceName, alias, version } = service;
  const key = { tenant, environment, appId, serviceName, alias, version };
  return goJson({ action: actions[kind], key, instance });
}
