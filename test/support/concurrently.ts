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

/**
 * Returns a function like {@link concurrently} whose tests run one after the other, at the same time as all others
 * of the file: for those that need the processor as well as time.
 */
export function inTurn(timeoutMs: number): typeof concurrently {
  let before = Promise.resolve();
  return (name, test) => {
    it.concurrent(
      name,
      async () => {
        const predecessor = before;
        let end: () => void = () => undefined;
        before = new Promise(resolve => (end = resolve));
        await predecessor;
        const cleanup = new Cleanup();
        try {
          await test(cleanup);
        } finally {
          await cleanup.run();
          end();
        }
      },
      timeoutMs,
    );
  };
}
