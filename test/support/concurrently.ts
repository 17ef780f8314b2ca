import { it } from '@jest/globals';
import { Cleanup } from './test-app.js';

/**
 * A test that waits for real heartbeats and shares nothing with the others of its file: they run at
 * the same time, each with a clean-up of its own.
 */
export function concurrently(name: string, test: (cleanup: Cleanup) => Promise<void>): void {
  it.concurrent(name, async () => {
    const cleanup = new Cleanup();
    try {
      await test(cleanup);
    } finally {
      await cleanup.run();
    }
  });
}
