import { createHook } from 'node:async_hooks';

/** Watches the timers that the library sets, so that a test can show that none is left. */
export interface TimerWatch {
  /** Where each timer that is still armed was set. */
  live(): readonly string[];
  end(): void;
}

/** Starts to watch. Timers of node's own modules and of other packages do not count. */
export function watchTimers(): TimerWatch {
  const timers = new Map<number, string>();
  const hook = createHook({
    init(id, type) {
      if (type !== 'Timeout') return;
      const setBy = stackOf();
      if (/\/lib\/(nest|registration)\//.test(setBy)) timers.set(id, setBy);
    },
    destroy(id) {
      timers.delete(id);
    },
  });
  hook.enable();
  return { live: () => [...timers.values()], end: () => hook.disable() };
}

function stackOf(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const stack = new Error('set here').stack ?? '';
  Error.stackTraceLimit = stackTraceLimit;
  return stack;
}
