import { NumberLiteral } from './go-json.js';
import { invalid } from '../model/registry-error.js';
import type { RegistryError } from '../model/registry-error.js';

/**
 * Reads a JSON object as Go's encoding/json fills a struct: the case of keys does not matter,
 * unknown keys are ignored, and null means absent. Empty values read as undefined, because the
 * server omits them from every answer (omitempty).
 *
 * Every method throws a RegistryError 400001 with Go's message if a value has another type.
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
   * Reads a document into the struct `type`; null reads as an empty struct.
   *
   * @param goPackage the package of the struct, as shown in errors
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
    // Bitwise or converts to 32 bits; a value that it changes would overflow in Go.
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

  /** Returns an inner struct; undefined if absent, but not if merely empty. */
  struct<Struct>(
    key: string,
    type: string,
    fields: (reader: StructReader) => Struct,
  ): Struct | undefined {
    const value = this.#get(key);
    return value === undefined ? undefined : this.#inner(key, value, type, fields);
  }

  /** Returns a list of structs; an item that is null is returned as null. */
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

/** Position of a struct in a document. */
interface Place {
  readonly type: string;
  readonly path: readonly string[];
  readonly goPackage: string;
}

/** Returns whether a value is a JSON object: no list, null or number literal. */
export function isObject(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof NumberLiteral)
  );
}

/** Returns Go's name for the kind of a JSON value. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value instanceof NumberLiteral) return 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
