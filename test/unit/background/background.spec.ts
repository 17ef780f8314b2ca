import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Background } from '../../../lib/background/background.js';

describe('work in the background', () => {
  it('keeps a bug until it is asked for, and throws it once', async () => {
    const background = new Background();
    background.start(() => Promise.reject(new TypeError('a bug')));
    await setImmediate();
    expect(() => background.throwPending()).toThrow('a bug');
    expect(() => background.throwPending()).not.toThrow();
  });

  it('ends when it is stopped, which is no bug, and can be started again', async () => {
    const background = new Background();
    const signals: AbortSignal[] = [];
    const untilAborted = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => {
        signals.push(signal);
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    background.start(untilAborted);
    background.stop();
    await setImmediate();
    expect(() => background.throwPending()).not.toThrow();
    background.start(untilAborted);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('lets much work listen for its end, without what Node takes for a leak', () => {
    const background = new Background();
    const signals: AbortSignal[] = [];
    for (let nth = 0; nth < 20; nth += 1)
      background.start(signal => {
        signals.push(signal);
        signal.addEventListener('abort', () => undefined);
        return new Promise(() => undefined);
      });
    const listeners = signals.map(signal => getEventListeners(signal, 'abort').length);
    expect(Math.max(...listeners)).toBeLessThanOrEqual(10);
    background.stop();
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });
});
