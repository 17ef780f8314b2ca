import { NumberLiteral } from './go-json.js';
import { invalid } from '../model/registry-error.js';
import type { RegistryError } from '../model/registry-error.js';

/**
 * Reads a JSON object as Go's encoding/json fills a struct: keys whatever their case, unknown ones
 * ignored, null like an absent one. A value that is empty reads as undefined, because the server
 * leaves it out of every answer (omitempty).
 *
 * Every method throws a RegistryError 400001, in Go's words, when a value has another type.
 */
export class StructReader {
  readonly #type: string;
  readonly #path: readonly string[];
  readonly #goPackage: string;
  readonly #values = new Map<string, unknown>();

  private constructor(object: object, { type, path, goPackage }: Place) {
    this.#type = type;
    this.#path = path;
    this.#goPackage = goPackage;
    for (const [key, value] of Object.entries(object))
      if (value !== null) this.#values.set(key.toLowerCase(), value);
  }

  /**
   * Reads a whole document into the struct `type`; null reads as the empty one.
   *
   * @param goPackage where the server declares the struct, as its errors show it
   */
  static read<Struct>(
    document: unknown,
    type: string,
    fields: (reader: StructReader) => Struct,
    goPackage = 'discovery',
  ): Struct {
    if (!isObject(document) && document !== null)
      throw invalid(
        `json: cannot unmarshal ${kindOf(document)} into Go value of type ${goPackage}.${type}`,
      );
    return fields(new StructReader(document ?? {}, { type, path: [], goPackage }));
  }

  text(key: string): string | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    return this.#asText(key, value) || undefined;
  }

  int32(key: string): number | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (value instanceof NumberLiteral) throw this.#mismatch(key, `number ${value.text}`, 'int32');
    // Bitwise or is JavaScript's conversion to 32 bits: what it changes would overflow in Go.
    if (typeof value !== 'number') throw this.#mismatch(key, kindOf(value), 'int32');
    if ((value | 0) !== value) throw this.#mismatch(key, `number ${value}`, 'int32');
    return value || undefined;
  }

  flag(key: string): boolean {
    const value = this.#get(key) ?? false;
    if (typeof value !== 'boolean') throw this.#mismatch(key, kindOf(value), 'bool');
    return value;
  }

  texts(key: string): readonly string[] | undefined {
    return this.#list(key, '[]string', item => (item === null ? '' : this.#asText(key, item)));
  }

  textMap(key: string): Readonly<Record<string, string>> | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw this.#mismatch(key, kindOf(value), 'map[string]string');
    const entries = Object.entries(value).map(
      ([name, item]: [string, unknown]) =>
        [name, item === null ? '' : this.#asText(key, item)] as const,
    );
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }

  /** A struct inside this one; undefined when absent, never when merely empty. */
  struct<Struct>(
    key: string,
    type: string,
    fields: (reader: StructReader) => Struct,
  ): Struct | undefined {
    const value = this.#get(key);
    return value === undefined ? undefined : this.#inner(key, value, type, fields);
  }

  /** A list of structs; an item that is null reads as null. */
  structs<Struct>(
    key: string,
    type: string,
    fields: (reader: StructReader) => Struct,
  ): readonly (Struct | null)[] | undefined {
    return this.#list(key, `[]*${this.#goPackage}.${type}`, item =>
      item === null ? null : this.#inner(key, item, type, fields),
    );
  }

  #get(key: string): unknown {
    return this.#values.get(key.toLowerCase());
  }

  #asText(key: string, value: unknown): string {
    if (typeof value !== 'string') throw this.#mismatch(key, kindOf(value), 'string');
    return value;
  }

  #list<Item>(
    key: string,
    type: string,
    read: (item: unknown) => Item,
  ): readonly Item[] | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.#mismatch(key, kindOf(value), type);
    return value.length === 0 ? undefined : value.map((item: unknown) => read(item));
  }

  #inner<Struct>(
    key: string,
    value: unknown,
    type: string,
    fields: (reader: StructReader) => Struct,
  ): Struct {
    if (!isObject(value)) throw this.#mismatch(key, kindOf(value), `${this.#goPackage}.${type}`);
    const path = [...this.#path, key];
    return fields(new StructReader(value, { type, path, goPackage: this.#goPackage }));
  }

  #mismatch(key: string, kind: string, goType: string): RegistryError {
    const field = `${this.#type}.${[...this.#path, key].join('.')}`;
    return invalid(
      `json: cannot unmarshal ${kind} into Go struct field ${field} of type ${goType}`,
    );
  }
}

/** Where a struct stands in a document. */
interface Place {
  readonly type: string;
  readonly path: readonly string[];
  readonly goPackage: string;
}

/** True for a JSON object: no list, no null, and no number that came as a literal. */
export function isObject(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof NumberLiteral)
  );
}

/** A JSON value's kind, in Go's words. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value instanceof NumberLiteral) return 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
