import { describe, expect, it } from '@jest/globals';
import { paintFor } from '../../../lib/cli/terminal.js';

describe('colours', () => {
  it.each([
    ['on a terminal', {}, true, true],
    ['not elsewhere', {}, false, false],
    ['not with NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['with an empty NO_COLOR', { NO_COLOR: '' }, true, true],
    ['not on a terminal that has none', { TERM: 'dumb' }, true, false],
    ['elsewhere with FORCE_COLOR', { FORCE_COLOR: '1' }, false, true],
    ['with FORCE_COLOR against NO_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, true, true],
    ['not with FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, false],
  ])('are used %s', (_, env, isTerminal, isColoured) => {
    const painted = paintFor({ env, isTerminal })('red', 'text');
    expect(painted).toBe(isColoured ? '\u001b[31mtext\u001b[39m' : 'text');
  });
});
