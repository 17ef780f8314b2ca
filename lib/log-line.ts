import type { ServiceCombError } from './errors.js';
import { printable } from './protocol/printable.js';

/**
 * A line for the log. `log`: joined or left; `warn`: something to know; `error`: something to do;
 * `debug`: each failed attempt; `verbose`: the first heartbeat. The others have no line, since Nest shows all
 * levels by default.
 */
export type LogLine = readonly [
  level: 'log' | 'warn' | 'error' | 'debug' | 'verbose',
  message: string,
];

/** Returns the end of a line that names a reason, if there is one. */
export function because(error: ServiceCombError | undefined): string {
  return error === undefined ? '' : `: ${error.message}`;
}

/** Returns endpoints in words; they are foreign text. */
export function listOf(endpoints: readonly string[] = []): string {
  return endpoints.length === 0 ? 'no endpoint' : printable(endpoints.join(', '));
}

/** Returns milliseconds in words: seconds from ten of them on. */
export function duration(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}

/** Returns how many things there are, in words: `1 instance`, `3 instances`. */
export function numberOf({ length }: ArrayLike<unknown>, thing: string): string {
  return `${length} ${thing}${length === 1 ? '' : 's'}`;
}
