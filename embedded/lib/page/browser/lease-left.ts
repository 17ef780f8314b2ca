import type { LeaseView } from '../messages.js';

/** A lease on the page: it ends by the browser's clock, which runs while no message comes. */
export interface RunningLease {
  readonly lengthMs: number;
  /** By `performance.now()`. */
  readonly endsAt: number;
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly renewedAt: number;
}

/** @param now when the lease was told, by `performance.now()` */
export function runningLease(
  { lengthMs, remainingMs, renewedAt }: LeaseView,
  now: number,
): RunningLease {
  return { lengthMs, renewedAt, endsAt: now + remainingMs };
}

/** What is left of a lease, as its bar and the text beside it say. */
export interface LeaseLeft {
  /** From 0 to 1. */
  readonly share: number;
  /** `low` from a third on, `last` from a tenth on. */
  readonly level: 'high' | 'low' | 'last';
  readonly text: string;
}

/** What is left of a lease at a moment of `performance.now()`. */
export function leaseLeft({ lengthMs, endsAt }: RunningLease, now: number): LeaseLeft {
  const leftMs = Math.min(Math.max(endsAt - now, 0), lengthMs);
  const share = lengthMs === 0 ? 0 : leftMs / lengthMs;
  const level = share > 1 / 3 ? 'high' : share > 1 / 10 ? 'low' : 'last';
  return { share, level, text: `${inWords(leftMs)} of ${inWords(lengthMs)} left` };
}

/** A duration in whole seconds, or in hours and minutes from ten minutes on. */
export function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 600) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
