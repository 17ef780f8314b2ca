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

  it('has a signal for each piece, so that Node does not take many for a leak', () => {
    const background = new Background();
    const signals = new Set<AbortSignal>();
    for (let pieces = 0; pieces < 20; pieces += 1)
      background.start(async signal => void signals.add(signal));
    expect(signals.size).toBe(20);
  });
});
