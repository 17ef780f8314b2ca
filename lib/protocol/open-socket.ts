import {
  type ServiceCombError,
  ServiceCenterProtocolError,
  ServiceCenterUnreachableError,
} from '../errors.js';
import { failureOf } from './failures.js';
import type { Texts } from './wire.js';

/** The handshake of a WebSocket, complete: the library adds only what the handshake itself needs. */
export interface Handshake {
  /** With `http:` or `https:`. */
  readonly url: string;
  readonly headers: Texts;
  /** Longest message that is read, in bytes: a longer one ends the connection. */
  readonly maxMessageBytes: number;
}

/**
 * How a WebSocket ended.
 *
 * - `refused`: the handshake was answered with another status than 101
 * - `failed`: with an error that has a code
 * - `closed`: after it was open, with the code of RFC 6455; 1006 without a word
 * - `unavailable`: there is no WebSocket client in this installation, so that no attempt can succeed
 */
export type SocketEnd =
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'closed'; readonly code: number }
  | { readonly kind: 'unavailable'; readonly error: unknown };

/** The events of a WebSocket. Nothing is called before {@link OpenSocket} returns, nor after `ended`. */
export interface SocketEvents {
  opened(): void;
  received(text: string): void;
  /** A ping came, which is answered already, or a pong. */
  heard(): void;
  ended(end: SocketEnd): void;
}

/** A WebSocket that is being opened, or is open. */
export interface Socket {
  /** Sends a ping without a payload; does nothing before it is open. */
  ping(): void;
  /** Says goodbye, and frees the connection as soon as that is sent. */
  close(): void;
  /** Frees the connection at once. */
  terminate(): void;
}

/** The port to WebSockets. */
export type OpenSocket = (handshake: Handshake, events: SocketEvents) => Socket;

/** The handshake of the watcher at an address. */
export interface WatchRequest extends Handshake {
  readonly address: string;
  /** Notes that the address accepted the credentials. */
  accepted(): void;
  /** Notes that the address may have refused the credentials; returns whether to ask again with new ones. */
  refused(): boolean;
}

/** Returns whether a handshake may have ended like this because of its credentials: see M12 and S6. */
export function mayBeCredentials(end: SocketEnd): boolean {
  return end.kind === 'refused' && (end.status === 200 || end.status === 401);
}

/** Returns the error for the end of a watcher. @throws a bug */
export function watchError(end: SocketEnd, address: string, timeoutMs: number): ServiceCombError {
  const operation = 'watch';
  switch (end.kind) {
    case 'refused':
      return new ServiceCenterProtocolError(
        operation,
        address,
        'a WebSocket handshake',
        `HTTP ${end.status}`,
      );
    case 'closed':
      return new ServiceCenterUnreachableError(operation, [address], `closed (${end.code})`);
    case 'unavailable':
    case 'failed': {
      const error = failureOf(end.error, { operation, address, timeoutMs });
      if (error === undefined) throw end.error;
      return error;
    }
  }
}
