import type { OptionIssue } from '../errors.js';
import { defaults } from './defaults.js';

/** One place in the options: its path, its value, and the list that collects its issues. */
export interface Field {
  readonly path: string;
  /** Undefined when absent; an explicit undefined counts as absent. */
  readonly value: unknown;
  /** Source of a value that was not written in the options, such as the name of a variable. */
  readonly origin?: string | undefined;
  /** Shared by all fields of one call of `resolveOptions`. */
  readonly issues: OptionIssue[];
}

const rootPath = 'options';

/** Makes the field of the options as a whole. */
export function rootField(value: unknown, issues: OptionIssue[]): Field {
  return { path: rootPath, value, issues };
}

/** Returns the field itself, or when it is absent one that has the value from `origin`. */
export function orElse(field: Field, value: string | undefined, origin: string): Field {
  return field.value === undefined && value !== undefined ? { ...field, value, origin } : field;
}

/** Returns the field itself, or when it is absent one with the value of a variable that is not blank. */
export function orVariable<Name extends string>(
  field: Field,
  env: Readonly<Partial<Record<Name, string | undefined>>>,
  name: Name,
): Field {
  const value = env[name]?.trim();
  return orElse(field, value === '' ? undefined : value, name);
}

/** Adds an issue: what the value must be, and what it is. */
export function reject(field: Field, expectation: string): undefined {
  const origin = field.origin === undefined ? '' : ` from ${field.origin}`;
  const message = `${expectation}, got ${shown(field.value)}${origin}`;
  field.issues.push({ path: field.path, message });
}

/** Returns an option of a group by its name. */
type Members<Shape> = (name: keyof Shape & string) => Field;

/** Opens a group like `open`; in an absent or invalid group all options are absent. */
export function members<Shape extends object>(group: Field, shape: Shape): Members<Shape> {
  const absent = (name: string) => ({ ...group, path: pathOf(group, name), value: undefined });
  return open(group, Object.keys(shape)) ?? absent;
}

/**
 * Opens a group. Returns undefined when it is absent; when it is not an object, also adds an issue.
 * A key that is not among the names is an issue. Class instances and inherited properties are read.
 */
export function open<Name extends string>(
  group: Field,
  names: readonly Name[],
): ((name: Name) => Field) | undefined {
  const source = objectOf(group);
  if (source === undefined) return undefined;
  const known: ReadonlySet<string> = new Set(names);
  for (const key of Object.keys(source)) {
    if (!known.has(key)) rejectUnknown(group, key, names);
  }
  return name => member(group, source, name);
}

function rejectUnknown(group: Field, key: string, names: readonly string[]): void {
  // An option of a group within a group is seldom meant for another group.
  const elsewhere = group.path.includes('.') ? [] : pathsTo(key);
  const hint =
    elsewhere.length === 1
      ? `did you mean ${elsewhere[0]}?`
      : `valid options are ${names.join(', ')}`;
  group.issues.push({ path: pathOf(group, key), message: `is not an option; ${hint}` });
}

/** Returns the paths of the options of that name in all groups. */
function pathsTo(name: string): readonly string[] {
  return Object.entries<unknown>(defaults).flatMap(([group, options]) =>
    isOptionsObject(options) && Object.hasOwn(options, name) ? [`${group}.${name}`] : [],
  );
}

/** Returns the own entries of an object by their keys; undefined when absent or not an object. */
export function entries(field: Field): readonly (readonly [string, Field])[] | undefined {
  const source = objectOf(field);
  return source && Object.keys(source).map(key => [key, member(field, source, key)] as const);
}

/** Returns the items of a list; undefined when absent or not a list. */
export function items(field: Field): readonly Field[] | undefined {
  const { path, value, issues } = field;
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return reject(field, 'must be an array');
  const values: readonly unknown[] = value;
  return Array.from(values, (item, index) => ({ path: `${path}[${index}]`, value: item, issues }));
}

function objectOf(field: Field): object | undefined {
  const { value } = field;
  if (value === undefined) return undefined;
  return isOptionsObject(value) ? value : reject(field, 'must be an object');
}

/** False for objects without options in them: an array, a Map, a Promise that was not awaited. */
function isOptionsObject(value: unknown): value is object {
  return tagOf(value) === '[object Object]';
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

function member(parent: Field, source: object, name: string): Field {
  const value: unknown = Reflect.get(source, name);
  return { path: pathOf(parent, name), value, issues: parent.issues };
}

function pathOf(parent: Field, name: string): string {
  const isPlain = /^[\w$-]{1,80}$/.test(name);
  if (parent.path === rootPath) return isPlain ? name : quote(name);
  return isPlain ? `${parent.path}.${name}` : `${parent.path}[${quote(name)}]`;
}

/** Writes a value for an issue: short, on one line, and without the credentials of a URL. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return cut(`${value}n`);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  return isOptionsObject(value) ? 'an object' : escaped(cut(tagOf(value)));
}

function quote(text: string): string {
  return escaped(JSON.stringify(cut(withoutCredentials(text))));
}

/** Escapes the characters that JSON keeps and that would break or reorder a line of a log. */
function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, character => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function withoutCredentials(text: string): string {
  return /:.*@/s.test(text) ? text.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1***@') : text;
}

function cut(text: string): string {
  const maxLength = 80;
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
