import { invalid } from '../model/registry-error.js';

/** Rules of one field of a struct. */
export interface FieldRules {
  /**
   * The field's name in the server, as shown in errors; its JSON key starts with a lower-case
   * letter.
   */
  readonly name: string;
  /** The value that Go gives to an absent field. */
  readonly absent: '' | 0 | readonly [] | Readonly<Record<string, never>> | undefined;
  readonly rule?: Rule | undefined;
  /** Rules of the struct in this field, or of each struct in its list. */
  readonly within?: StructRules | undefined;
}

/** Rules of a struct: its fields in the order of the server's declaration. */
export interface StructRules {
  readonly type: string;
  readonly fields: readonly FieldRules[];
}

/**
 * Checks a request as the server does (pkg/validate/validator.go): only the first field that breaks
 * its rule is reported.
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

/** A regular expression with its text in the server's errors. */
export interface Pattern {
  readonly text: string;
  test(value: string): boolean;
}

/** Rule of a field (pkg/validate/rule.go). */
export interface Rule {
  /**
   * Minimum bytes of a text, items of a list or map, or value of a number; 1 means that a struct is
   * required.
   */
  readonly min?: number;
  /** Maximum characters of a text, otherwise as `min`; 0 or absent means no limit. */
  readonly max?: number;
  /** Applies to a text, to each text of a list, or to each key and value of a map. */
  readonly pattern?: Pattern;
}

/** Returns a pattern of Go, in which `\S` knows ASCII white space only. */
export function goPattern(text: string): Pattern {
  const expression = new RegExp(text.replaceAll(String.raw`\S`, String.raw`[^\t\n\f\r ]`));
  return { text, test: value => expression.test(value) };
}

/** The value of a field; undefined if the struct's pointer is nil. */
type FieldValue = string | number | readonly unknown[] | object | undefined;

/**
 * Returns the part of a value that breaks the rule, in Go's spelling; undefined if the value is
 * valid.
 */
function violation(rule: Rule, value: FieldValue, kind: 'value' | 'struct'): string | undefined {
  if (kind === 'struct') return value === undefined ? '<nil>' : undefined;
  const [least, most] = sizesOf(value);
  if (least < (rule.min ?? 0) || (rule.max && most > rule.max)) return printed(value);
  const { pattern } = rule;
  return pattern && textsOf(value).find(text => !pattern.test(text));
}

/** Returns a rule in the spelling of the server's errors. */
function textOf({ min, max, pattern }: Rule): string {
  const parts = [
    min ? `Min: ${min}` : [],
    max ? `Max: ${max}` : [],
    pattern ? `Regexp: ${pattern.text}` : [],
  ];
  return `{${parts.flat().join(', ')}}`;
}

/** Returns the sizes that `min` and `max` are compared with. */
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
