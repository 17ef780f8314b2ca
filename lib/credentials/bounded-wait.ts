/** Resolves after so many milliseconds, or when aborted; keeps no process alive. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>;

/** When to stop waiting. */
export interface Bounds {
  readonly signal?: AbortSignal | undefined;
  /** Starts a timer that rejects when the time is up; it ends quietly when `ended` is aborted. */
  readonly timer?: ((ended: AbortSignal) => Promise<never>) | undefined;
}

/**
 * Waits for a promise until a signal is aborted or a timer rejects. The work itself goes on: others may wait
 * for it, and a function of the application knows no signal. Listener and timer end with the wait.
 * @throws the reason of the signal, or the rejection of the timer or of the promise
 */
export async function boundedWait<T>(work: Promise<T>, { signal, timer }: Bounds): Promise<T> {
  const ended = new AbortController();
  const bounds = [signal && abortOf(signal, ended.signal), timer?.(ended.signal)];
  try {
    return await Promise.race([...bounds.filter(each => each !== undefined), work]);
  } finally {
    ended.abort();
  }
}

function abortOf(signal: AbortSignal, ended: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true, signal: ended });
  });
}
