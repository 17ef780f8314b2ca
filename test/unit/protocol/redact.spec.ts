import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import { blankerOf, secretsOf } from '../../../lib/protocol/redact.js';

const secret = 'p"w/<&>\'õ \\😀x';

describe('a secret in a text', () => {
  const inJson = JSON.stringify(secret).slice(1, -1);
  it.each([
    ['as it is', secret],
    ['in JSON', inJson],
    ['in JSON in JSON', JSON.stringify(inJson).slice(1, -1)],
    ['in JSON of ASCII', String.raw`p\"w\/\u003c\u0026\u003E\u0027\u00f5 \\\ud83d\ude00x`],
    ['in JSON of ASCII in JSON', String.raw`p\\\"w/\\u003c&\\u003e'\\u00F5 \\\\\\uD83D\\uDE00x`],
    ['in a URL', encodeURIComponent(secret)],
    [
      'in a URL, in lower case',
      encodeURIComponent(secret).replace(/%../g, hex => hex.toLowerCase()),
    ],
    ['in a form', encodeURIComponent(secret).replaceAll('%20', '+')],
    ['in HTML', 'p&quot;w/&lt;&amp;&gt;&apos;õ \\😀x'],
    ['in HTML by numbers', 'p&#34;w&#x2F;&#60;&#38;&#62;&#39;&#245;&#32;&#92;&#128512;x'],
  ])('is blanked %s', (_, form) => {
    expect(blankerOf([secret])(`sent: ${form}.`)).toBe('sent: ***.');
  });

  it('is blanked where it is cut off', () => {
    const blank = blankerOf(['CANARY-7f3a-9b']);
    expect(blank('sent: CANARY-7f3… and')).toBe('sent: ***… and');
    expect(blank('sent: CANARY-7')).toBe('sent: ***');
  });

  it('leaves what only begins like it', () => {
    expect(blankerOf(['password-1'])('the passwords do not match')).toBe(
      'the passwords do not match'.replace('password', '***'),
    );
    expect(blankerOf(['passing'])('passed')).toBe('passed');
  });

  it('is blanked wherever it stands, as often as it does', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const hidden = fc.string({ unit: 'grapheme', minLength: 9, maxLength: 20 });
    const forms = fc.constantFrom<(text: string) => string>(
      each => each,
      each => JSON.stringify(each).slice(1, -1),
      each => encodeURIComponent(each),
    );
    fc.assert(
      fc.property(hidden, fc.array(fc.tuple(text, forms)), (it, places) => {
        const written = places.map(([before, form]) => before + form(it)).join('');
        expect(blankerOf([it])(written)).not.toContain(it);
      }),
    );
  });

  it('costs little in a text of a mebibyte that is nothing but its beginning', () => {
    const blank = blankerOf(['a'.repeat(16_000) + 'b']);
    const began = performance.now();
    blank('a'.repeat(1_048_576));
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('the secrets in a header', () => {
  it.each([
    ['Bearer h.claims123.signature', ['h.claims123.signature', 'claims123', 'signature']],
    ['h.claims123.signature', ['h.claims123.signature', 'claims123', 'signature']],
    [`Basic ${btoa('user:pass:word')}`, [btoa('user:pass:word'), 'user:pass:word', 'pass:word']],
    ['two words more', ['two words more']],
    ['abc', []],
  ])('%s are %j', (value, secrets) => {
    expect(secretsOf({ Authorization: value })).toEqual(secrets);
  });
});
