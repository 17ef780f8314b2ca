import { describe, expect, it } from '@jest/globals';
import { isGood } from '../../../lib/nest/health-answer.js';

describe('isGood()', () => {
  it.each([
    [true, true],
    [false, false],
    [undefined, false],
    ['up', false],
    [{}, false],
    [[], false],
    [{ database: { status: 'up' } }, true],
    [{ database: { status: 'degraded' } }, true],
    [{ database: { status: 'down', message: 'away' } }, false],
    [{ database: { status: 'up' }, disk: { status: 'down' } }, false],
    [{ database: null }, false],
    [{ status: 'ok', info: {}, error: {}, details: {} }, true],
    [{ status: 'error', info: {}, error: {}, details: {} }, false],
    [{ status: 'shutting_down', info: {}, error: {}, details: {} }, false],
  ])('of %j is %s', (answer, expected) => {
    expect(isGood(answer)).toBe(expected);
  });
});
