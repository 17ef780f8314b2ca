/** The time that a registration goes by. */
export interface Clock {
  /** Milliseconds of a monotonic clock: for leases and waits, never for people. */
  now(): number;
  /** Milliseconds since 1970 of the wall clock: for people, never for leases. */
  wallNow(): number;
  /** Resolves after that many milliseconds, or when aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The result of {@link within} when the time was up first. */
export const late: unique symbol = Symbol('late');

/**
 * Resolves with the result of the work, or with {@link late} after that many milliseconds or when
 * aborted. The work itself is not ended. Rejects when the work rejects in time.
 */
export async function within<T>(
  ms: number,
  work: Promise<T>,
  clock: Pick<Clock, 'delay'>,
  signal?: AbortSignal,
): Promise<T | typeof late> {
  const timer = new AbortController();
  const signals = signal === undefined ? [timer.signal] : [timer.signal, signal];
  const timedOut = clock.delay(ms, AbortSignal.any(signals)).then((): typeof late => late);
  try {
    return await Promise.race([work, timedOut]);
  } finally {
    timer.abort();
  }
}

/** A promise that is settled from outside. */
export class Deferred {
  readonly promise: Promise<void>;
  resolve: () => void = () => undefined;
  reject: (error: unknown) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
