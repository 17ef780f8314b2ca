import type { OptionIssue } from '../errors.js';
import { quote, shown } from './shown.js';
import { suggestion } from './suggestion.js';

/** One place in the options: where it is, what stands there, and where its issues go. */
export interface Field {
  readonly path: string;
  /** Undefined: absent, which is the same as an explicit undefined. */
  readonly value: unknown;
  /** What `Object.prototype.toString` said of the value. Kept, since a proxy may not say it again. */
  readonly tag: string;
  /** Where a value comes from that is not written in the options, such as a variable's name. */
  readonly origin?: string | undefined;
  /** Shared by all fields of one call of `resolveOptions`. */
  readonly issues: OptionIssue[];
}

const rootPath = 'options';

/** The options as a whole; what is wrong inside of them is added to `issues`. */
export function rootField(options: unknown, issues: OptionIssue[]): Field {
  return readField(rootPath, issues, () => options);
}

/** The field itself, or when it is absent one with the value that `origin` provides. */
export function orElse(field: Field, value: string | undefined, origin: string): Field {
  return field.value === undefined && value !== undefined
    ? { ...field, value, tag: '[object String]', origin }
    : field;
}

/** Adds an issue that tells what the value must be and what it is. */
export function reject(field: Field, expectation: string): undefined {
  const origin = field.origin === undefined ? '' : ` from ${field.origin}`;
  const message = `${expectation}, got ${shown(field.value, field.tag)}${origin}`;
  field.issues.push({ path: field.path, message });
}

/** Gives an option of a group by its name. Once each: a getter that throws is an issue each time. */
type Members<Shape> = (name: keyof Shape & string) => Field;

/** Opens a group as `open` does; all options of an absent or wrong one are absent. */
export function members<Shape extends object>(group: Field, shape: Shape): Members<Shape> {
  return (
    open(group, shape) ?? (name => ({ ...group, path: pathOf(group, name), value: undefined }))
  );
}

/**
 * Opens a group; undefined when it is absent, or no object and an issue. A key that `shape` does not
 * have is an issue. An instance of a class is welcome, with what it inherits.
 */
export function open<Shape extends object>(group: Field, shape: Shape): Members<Shape> | undefined {
  const source = objectOf(group);
  if (source === undefined) return undefined;
  const names = Object.keys(shape);
  for (const key of keysOf(group, source)) {
    if (!names.includes(key)) rejectUnknown(group, key, names);
  }
  return name => member(group, source, name);
}

function rejectUnknown(group: Field, key: string, names: readonly string[]): void {
  const siblings = names.map(name => pathOf(group, name));
  const meant = suggestion(key, siblings);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  group.issues.push({ path: pathOf(group, key), message: `is not an option${hint}` });
}

/** The own entries of a map-like object by their keys; undefined when absent or no object. */
export function entries(field: Field): readonly (readonly [string, Field])[] | undefined {
  const source = objectOf(field);
  return source && keysOf(field, source).map(key => [key, member(field, source, key)] as const);
}

/** The items of a list; undefined when absent or no list. */
export function items(field: Field): readonly Field[] | undefined {
  const { path, value, issues } = field;
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return reject(field, 'must be an array');
  const values = attempt(field, () => Array.from<unknown>(value));
  return values?.map((item, index) => readField(`${path}[${index}]`, issues, () => item));
}

function objectOf(field: Field): object | undefined {
  const { value, tag } = field;
  if (value === undefined) return undefined;
  // The tag keeps out what has no options in it: a Promise that nobody awaited, a Map, a Date.
  const isObject = typeof value === 'object' && value !== null && tag === '[object Object]';
  return isObject ? value : reject(field, 'must be an object');
}

function keysOf(field: Field, source: object): readonly string[] {
  return attempt(field, () => Object.keys(source)) ?? [];
}

function member(parent: Field, source: object, name: string): Field {
  return readField(pathOf(parent, name), parent.issues, (): unknown => Reflect.get(source, name));
}

function pathOf(parent: Field, name: string): string {
  const isPlain = /^[\w$-]{1,80}$/.test(name);
  if (parent.path === rootPath) return isPlain ? name : quote(name);
  return isPlain ? `${parent.path}.${name}` : `${parent.path}[${quote(name)}]`;
}

function readField(path: string, issues: OptionIssue[], read: () => unknown): Field {
  const absent = { path, value: undefined, tag: '[object Undefined]', issues };
  const found = attempt(absent, () => {
    const value = read();
    return { value, tag: Object.prototype.toString.call(value) };
  });
  return { ...absent, ...found };
}

/** Getters and proxies are the user's code: what they throw is an issue of the option. */
function attempt<T>(field: Field, read: () => T): T | undefined {
  try {
    return read();
  } catch {
    field.issues.push({ path: field.path, message: 'cannot be read: reading it throws' });
    return undefined;
  }
}
