/** What asks a process to end: Ctrl-C, `kill`, and the terminal being closed. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Resolves with the first of these signals. Later ones change nothing: npm passes on a Ctrl-C that
 * the terminal has sent already, and leaving takes a few seconds at most.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of stopSignals) process.on(signal, resolve);
  });
}
