import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import { blankerOf, secretsOf } from '../../../lib/protocol/redact.js';

const hex = (unit: string) => unit.charCodeAt(0).toString(16).padStart(4, '0');
const secret = 'p"w/<&>\'õ \\😀x';

describe('a secret in a text', () => {
  const inJson = JSON.stringify(secret).slice(1, -1);
  it.each([
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
  ])('is blanked %s, with all of the text', (_, form) => {
    expect(blankerOf([secret])(`sent: ${form}.`)).toBe('***');
  });

  it('is blanked as it is, with all that follows', () => {
    expect(blankerOf([secret])(`sent: ${secret}, and ${secret}.`)).toBe('sent: ***');
    expect(blankerOf(['other', 'secret'])('the secret other')).toBe('the ***');
  });

  it('is blanked where it is cut off', () => {
    const blank = blankerOf(['CANARY/7f3a-9b']);
    expect(blank('sent: CANARY/7f3… and')).toBe('sent: ***');
    expect(blank('sent: CANARY/7')).toBe('sent: ***');
    expect(blank('sent: CANARY%2f7')).toBe('***');
  });

  it.each([
    'a+b%41"c-secret',
    '&lt;b+c"%2',
    String.raw`x\u0041"y\\zz`,
    '100%41"abc',
    '%25%32%35"ab',
  ])('is blanked though it looks like escapes itself: %s', it => {
    const inJson = JSON.stringify(it).slice(1, -1);
    const inJsonTwice = JSON.stringify(inJson).slice(1, -1);
    const forms = [it, inJson, inJsonTwice, encodeURIComponent(it), encodeURIComponent(inJson)];
    for (const form of forms)
      for (const text of [form, form.slice(0, -2)])
        expect(blankerOf([it])(`sent: ${text}`)).toMatch(/^(sent: )?\*\*\*$/);
  });

  it('leaves a text that has less than its beginning', () => {
    expect(blankerOf(['password-1'])('the pass%77ord does not match')).toBe('***');
    expect(blankerOf(['password-1'])('the passw-rds do not match')).toBe(
      'the passw-rds do not match',
    );
    expect(blankerOf(['passing'])('passed')).toBe('passed');
    expect(blankerOf([''])('a text')).toBe('a text');
  });

  it('is blanked wherever it stands, as often as it does, in any mixture of escapes', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const hidden = fc.string({ unit: 'grapheme', minLength: 9, maxLength: 20 });
    const forms = fc.constantFrom<(text: string) => string>(
      each => each,
      each => JSON.stringify(each).slice(1, -1),
      each => encodeURIComponent(each),
      each => each.replace(/[^a-z]/g, unit => String.raw`\u${hex(unit)}`),
      each => each.replace(/[^a-z]/g, unit => `&#x${hex(unit)};`),
    );
    fc.assert(
      fc.property(
        hidden,
        fc.array(fc.tuple(text, forms, forms), { minLength: 1 }),
        (it, places) => {
          const written = places
            .map(([before, outer, inner]) => before + outer(inner(it)))
            .join('');
          const shown = blankerOf([it])(written);
          expect(shown).toMatch(/\*\*\*$/);
          for (const [, outer, inner] of places) expect(shown).not.toContain(outer(inner(it)));
        },
      ),
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
