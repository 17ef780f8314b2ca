import type { Random } from './random.js';

/** Ids and names that recur, so that requests find what others have written. */
export const knownIds = ['s1', 's2', 's3', 'i1', 'i2', 'kept-service', 'kept-instance'] as const;

const strangeTexts = [
  '',
  ' ',
  '.',
  '..',
  '/',
  '*',
  '+',
  '0',
  '-1',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  'toString',
  'SERVICECENTER',
  '0.0.0+',
  '1.0.0-2.0.0',
  'latest',
  '99999.0.0.1',
  '\'"<&>;--',
  '${jndi:x}',
  '../../etc',
  '\u0000',
  '\r\nX-Injected: 1',
  '\u2028\u2029',
  'ü€😀',
  '\ud800',
  'a'.repeat(65),
  'a'.repeat(5000),
] as const;

const words = ['orders', 'stock', 'shop', 'default', '1.0.0', 'UP', 'DOWN', 'push', 'testing'];

/** Returns a text that is known, plausible or strange. */
export function text(random: Random): string {
  if (random.percent(45)) return random.pick(knownIds);
  if (random.percent(40)) return random.pick(['orders', ...words]);
  if (random.percent(80)) return random.pick(strangeTexts);
  return random.bytes(random.below(40)).toString('latin1');
}

/** JSON numbers as text, most of them out of range somewhere. */
const strangeNumbers = [
  '0',
  '-0',
  '1.0',
  '1e2',
  '1e400',
  '-1',
  '2147483647',
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1',
  '1E-999',
  '1'.repeat(400),
] as const;

/** Returns any JSON value as text. */
export function json(random: Random, depth = 3): string {
  const kind = random.below(depth > 0 ? 8 : 6);
  if (kind === 0) return random.pick(['null', 'true', 'false', '{}', '[]', '""']);
  if (kind === 1) return random.pick(strangeNumbers);
  if (kind === 2) return nested(random);
  if (kind < 6) return JSON.stringify(text(random));
  const items = random.several(3, () => json(random, depth - 1));
  if (kind === 6) return `[${items.join(',')}]`;
  return `{${items.map(item => `${JSON.stringify(text(random))}:${item}`).join(',')}}`;
}

/** Returns nested lists or objects, now and then deeper than any parser allows. */
function nested(random: Random): string {
  const depth = random.pick([5, 5, 5, 5, 300, 300, 9_990, 10_100]);
  const core = random.pick(['1', '1.5', '""', '{"a":1e9}', '']);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const);
  return open.repeat(depth) + core + close.repeat(depth);
}
