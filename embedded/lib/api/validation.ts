import { invalid } from '../model/registry-error.js';

/** How one field of a struct is checked. */
export interface FieldRules {
  /** The field's name in the server, as errors show it; its JSON key begins in lower case. */
  readonly name: string;
  /** What an absent field is to the server. */
  readonly absent: '' | 0 | readonly [] | Readonly<Record<string, never>> | undefined;
  readonly rule?: Rule | undefined;
  /** How the struct in this field, or each struct of the list in it, is checked. */
  readonly within?: StructRules | undefined;
}

/** How a struct is checked: field by field, in the order the server declares them. */
export interface StructRules {
  readonly type: string;
  readonly fields: readonly FieldRules[];
}

/**
 * Checks a request as the server does (pkg/validate/validator.go): the first field that breaks its
 * rule is told, the others are not looked at.
 *
 * @throws RegistryError 400001
 */
export function validate({ type, fields }: StructRules, struct: object): void {
  const values = new Map<string, unknown>(Object.entries(struct));
  for (const { name, absent, rule, within } of fields) {
    const value = values.get(keyOf(name)) ?? absent;
    const kind = within !== undefined && !Array.isArray(value) ? 'struct' : 'value';
    const wrong = rule && violation(rule, asFieldValue(value), kind);
    if (rule !== undefined && wrong !== undefined)
      throw invalid(
        `field '${type}.${name}' invalid value '${wrong}' does not match rule: ${textOf(rule)}`,
      );
    if (within === undefined || value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      if (!isStruct(item)) throw invalid('invalid nil pointer');
      validate(within, item);
    }
  }
}

function keyOf(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function isStruct(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function asFieldValue(value: unknown): FieldValue {
  if (typeof value === 'string' || typeof value === 'number' || Array.isArray(value)) return value;
  return isStruct(value) ? value : undefined;
}

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
