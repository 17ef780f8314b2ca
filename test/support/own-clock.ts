import type { Cleanup } from './test-app.js';

/** How long a turn of the event loop may take to be counted in full, whoever had the processor meanwhile. */
const turnMs = 20;

/**
 * Counts the milliseconds of this process: those in which it worked, or had nothing to do. The time for which other
 * processes of the machine kept it waiting is left out, so that a busy machine does not look like a slow library.
 */
export class OwnClock {
  #own = 0;
  #at = performance.now();
  #workedMs = workedMs();

  private constructor() {}

  static start(cleanup: Cleanup): OwnClock {
    const clock = new OwnClock();
    // To ask the system for the time worked costs more than a turn of the loop.
    const timer = setInterval(() => clock.#tick(), turnMs / 2);
    cleanup.add(async () => clearInterval(timer));
    return clock;
  }

  now(): number {
    return this.#own + Math.min(performance.now() - this.#at, turnMs);
  }

  #tick(): void {
    const [at, worked] = [performance.now(), workedMs()];
    this.#own += Math.min(at - this.#at, Math.max(turnMs, worked - this.#workedMs));
    this.#at = at;
    this.#workedMs = worked;
  }
}

function workedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
