/** A regular expression of the server, with the text by which it shows it. */
export interface Pattern {
  readonly text: string;
  test(value: string): boolean;
}

/** What a field must fulfil (pkg/validate/rule.go). */
export interface Rule {
  /** Bytes of a text, items of a list or a map, or the value of a number; 1 for a struct: required. */
  readonly min?: number;
  /** Characters of a text, else as `min`; none when absent or 0. */
  readonly max?: number;
  /** For a text, each text of a list, each key and value of a map. */
  readonly pattern?: Pattern;
}

/** Takes over a pattern of Go, where `\S` knows the white space of ASCII only. */
export function goPattern(text: string): Pattern {
  const expression = new RegExp(text.replaceAll(String.raw`\S`, String.raw`[^\t\n\f\r ]`));
  return { text, test: value => expression.test(value) };
}

/** The value of a field; undefined where the struct's pointer is nil. */
export type FieldValue = string | number | readonly unknown[] | object | undefined;

/** The part of a value that breaks the rule, as Go prints it; undefined when it is kept. */
export function violation(
  rule: Rule,
  value: FieldValue,
  kind: 'value' | 'struct',
): string | undefined {
  if (kind === 'struct') return value === undefined ? '<nil>' : undefined;
  const [least, most] = sizesOf(value);
  if (least < (rule.min ?? 0) || (rule.max && most > rule.max)) return printed(value);
  const { pattern } = rule;
  return pattern && textsOf(value).find(text => !pattern.test(text));
}

/** The rule as an error shows it. */
export function textOf({ min, max, pattern }: Rule): string {
  const parts = [
    min ? `Min: ${min}` : [],
    max ? `Max: ${max}` : [],
    pattern ? `Regexp: ${pattern.text}` : [],
  ];
  return `{${parts.flat().join(', ')}}`;
}

/** What `min` and what `max` are compared with. */
function sizesOf(value: FieldValue): [number, number] {
  if (typeof value === 'string') return [Buffer.byteLength(value), Array.from(value).length];
  if (typeof value === 'number') return [value, value];
  const { length } = isList(value) ? value : Object.keys(value ?? {});
  return [length, length];
}

function textsOf(value: FieldValue): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [];
  const items = isList(value) ? value : Object.entries(value ?? {}).flat();
  return items.filter(item => typeof item === 'string');
}

function printed(value: FieldValue): string {
  if (isList(value)) return `[${value.join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${String(item)}`).join(' ')}]`;
}

function isList(value: FieldValue): value is readonly unknown[] {
  return Array.isArray(value);
}
