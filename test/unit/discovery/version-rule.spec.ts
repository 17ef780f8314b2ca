import { expect, test } from '@jest/globals';
import { fitting, parseVersionRule } from '../../../lib/discovery/version-rule.js';
import { fc } from '../../support/fast-check.js';

const all = ['0.9', '1', '1.0.0.1', '1.9.0', '1.10', '2.0.0', '2.0.1'].map(version => ({
  version,
}));

function fittingTo(text: string): (string | undefined)[] {
  const rule = parseVersionRule(text);
  return rule === undefined ? ['no rule'] : fitting(rule, all).map(({ version }) => version);
}

test.each([
  ['1.0.0', ['1']],
  ['2.0', ['2.0.0']],
  ['1.9.0+', ['1.9.0', '1.10', '2.0.0', '2.0.1']],
  ['1-2.0.0', ['1', '1.0.0.1', '1.9.0', '1.10']],
  ['2.0.0-1', ['1', '1.0.0.1', '1.9.0', '1.10']],
  ['1.0.0-1.0.0', []],
  ['latest', ['2.0.1']],
  ['3+', []],
])('%s fits %j', (text, versions) => {
  expect(fittingTo(text)).toEqual(versions);
});

test.each([
  '',
  '1.',
  '.1',
  '1.0.0.0.0',
  '32768',
  '1-32768',
  '1++',
  '1-2+',
  '1-2-3',
  'Latest',
  '>=1',
  '^1',
  ' 1',
])('%j is no rule', text => {
  expect(parseVersionRule(text)).toBeUndefined();
});

test('latest is the newest of those that are passed, each of its instances', () => {
  const items = ['1.2.0', '1.10.0', '1.10', '1.9.9'].map(version => ({ version }));
  const rule = parseVersionRule('latest');
  expect(fitting(rule, items).map(({ version }) => version)).toEqual(['1.10.0', '1.10']);
});

test('a version that is missing or unreadable is older than all others', () => {
  const items = [{}, { version: 'x' }, { version: '0.0.1' }];
  expect(fitting(parseVersionRule('latest'), items)).toEqual([{ version: '0.0.1' }]);
  expect(fitting(parseVersionRule('0.0.1+'), items)).toEqual([{ version: '0.0.1' }]);
});

const version = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 32_767 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map(numbers => numbers.join('.'));

/** A version as one number, to compare with. */
function numberOf(version: string): bigint {
  const numbers = version.split('.').map(BigInt);
  return [0, 1, 2, 3].reduce((sum, at) => sum * 32_768n + (numbers[at] ?? 0n), 0n);
}

test('rules fit what numbers say (P1)', () => {
  fc.assert(
    fc.property(version, version, version, (a, b, subject) => {
      const [low, high, value] = [numberOf(a), numberOf(b), numberOf(subject)];
      const fits = (rule: string) =>
        fitting(parseVersionRule(rule), [{ version: subject }]).length === 1;
      expect(fits(a)).toBe(value === low);
      expect(fits(`${a}+`)).toBe(value >= low);
      const [first, last] = low < high ? [low, high] : [high, low];
      expect(fits(`${a}-${b}`)).toBe(value >= first && value < last);
      const latest = fitting(parseVersionRule('latest'), [{ version: a }, { version: b }]);
      expect(latest.map(({ version }) => numberOf(version))).toEqual(
        low === high ? [low, high] : [low > high ? low : high],
      );
    }),
    { numRuns: 500 },
  );
});
