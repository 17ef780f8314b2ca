import { propertyOf, type ProviderName, quoted, type ServiceCombError } from './errors.js';
import { because, duration, listOf, type LogLine } from './log-line.js';
import { printable } from './protocol/printable.js';
import type { MicroserviceInstance } from './protocol/wire.js';

/**
 * A fact for the log alone, which no listener needs.
 *
 * - `contradicted`: the registry answered a heartbeat with "no such instance", but lists the instance
 * - `unchecked`: the record could not be read, or what the server undid could not be written again
 * - `removing`: a record under our id is about to be removed: an earlier process's, or one that leads elsewhere
 * - `silent`: an isolated address did not answer a probe
 * - `unreadable`: an endpoint of a provider cannot be read, so that it is not called
 * - `unwatched`: an attempt to open the connection for changes of providers failed
 * - `no-web-socket`: that connection needs the package ws, which is not installed
 * - `unwatchable`: the registry has refused several times to push changes of providers
 */
export type PendingNote =
  | { readonly kind: 'contradicted'; readonly error: ServiceCombError; readonly retryInMs: number }
  | { readonly kind: 'unchecked'; readonly error: ServiceCombError; readonly retryInMs: number }
  | { readonly kind: 'removing'; readonly stored: MicroserviceInstance }
  | { readonly kind: 'silent'; readonly address: string; readonly retryInMs: number }
  | { readonly kind: 'unreadable'; readonly provider: ProviderName; readonly endpoint: string }
  | {
      readonly kind: 'unwatchable';
      readonly address: string;
      readonly error: ServiceCombError;
      readonly retryInMs: number;
    }
  | {
      readonly kind: 'unwatched';
      readonly address: string;
      readonly error: ServiceCombError;
      readonly retryInMs: number;
    }
  | { readonly kind: 'no-web-socket'; readonly error: unknown };

/**
 * Returns the line of a note.
 *
 * @param who the instance, in words
 */
export function noteLine(note: PendingNote, who: string): LogLine {
  switch (note.kind) {
    case 'contradicted': {
      const { error, retryInMs } = note;
      const next = `asking again in ${duration(retryInMs)}${because(error)}`;
      return [
        'debug',
        `A heartbeat of ${who} was answered "no such instance", but it is listed; ${next}`,
      ];
    }
    case 'unchecked': {
      const { error, retryInMs } = note;
      const next = `next check after the heartbeat in ${duration(retryInMs)}${because(error)}`;
      return ['debug', `Could not check the record of ${who}; ${next}`];
    }
    case 'removing': {
      const endpoints = listOf(note.stored.endpoints);
      return ['log', `Removing the record of ${who} that lists ${endpoints}, to register it anew`];
    }
    case 'silent': {
      const { address, retryInMs } = note;
      const next = `next probe in ${duration(retryInMs)}`;
      return ['debug', `Service Center at ${address} did not answer a probe; ${next}`];
    }
    case 'unreadable': {
      const endpoint = `${printable(note.endpoint)} of ${quoted(note.provider)}`;
      const next = 'correct instance.endpoints of that service';
      return ['warn', `The endpoint ${endpoint} cannot be read, so it is not called: ${next}`];
    }
    case 'unwatchable':
    case 'unwatched':
      return withoutWatch(note);
    case 'no-web-socket':
      return withoutWebSocket(note.error);
  }
}

function withoutWatch(
  note: Extract<PendingNote, { readonly kind: 'unwatchable' | 'unwatched' }>,
): LogLine {
  const { kind, address, error, retryInMs } = note;
  const who = `Service Center at ${address} does not push changes of providers`;
  const next = `again in ${duration(retryInMs)}`;
  return kind === 'unwatched'
    ? ['debug', `${who} yet; asked ${next}${because(error)}`]
    : [
        'warn',
        `${who}, so polls find them; it is asked ${next}, unless discovery.watch is false${because(error)}`,
      ];
}

function withoutWebSocket(error: unknown): LogLine {
  const reason = printable(String(propertyOf(error, 'message') ?? error));
  return [
    'warn',
    'Changes of providers are not pushed, so polls find them: install the package ws, or set ' +
      `discovery.watch to false (${reason})`,
  ];
}
