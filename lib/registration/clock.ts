/** Time, as a registration sees it. */
export interface Clock {
  /** Milliseconds of a monotonic clock: for leases and waits, never for people. */
  now(): number;
  /** Milliseconds since 1970 of the wall clock: for people, never for leases. */
  wallNow(): number;
  /** Resolves after that many milliseconds, or when aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}
