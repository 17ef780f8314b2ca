/**
 * Waits for what others may be waiting for, too: one who is aborted leaves it alone. Needed also for
 * what knows no signal, such as a function of the application that may never answer.
 *
 * @throws DOMException the reason of the signal
 */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  const listening = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true, signal: listening.signal });
  });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    listening.abort();
  }
}
