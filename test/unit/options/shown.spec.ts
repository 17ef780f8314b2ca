import { describe, expect, it } from '@jest/globals';

import { shown } from '../../../lib/options/shown.js';

describe('shown', () => {
  it.each([
    ['two\nlines', '"two\\nlines"'],
    ['a\u0085b\u2028c\u202ed', '"a\\u0085b\\u2028c\\u202ed"'],
    ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
    ['http://a:b@c/d', '"http://***@c/d"'],
    ['a:b@c', '"***@c"'],
    ['@acme/orders', '"@acme/orders"'],
    ['me@home', '"me@home"'],
    [7, '7'],
    [-0.5, '-0.5'],
    [7n, '7n'],
    [10n ** 100n, `1${'0'.repeat(79)}…`],
    [true, 'true'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('secret'), 'a symbol'],
    [() => 'secret', 'a function'],
    [[], 'an empty array'],
    [['secret'], 'an array'],
    [{ a: 'secret' }, 'an object'],
    [new Date(0), '[object Date]'],
    [{ [Symbol.toStringTag]: 'two\nlines' }, '[object two\\u000alines]'],
    [{ [Symbol.toStringTag]: 'x'.repeat(99) }, `[object ${'x'.repeat(72)}…`],
  ])('writes %p as %s', (value, text) => {
    expect(shown(value, Object.prototype.toString.call(value))).toBe(text);
  });
});
