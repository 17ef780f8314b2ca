/** Limits of a number, both inclusive. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Reads the fields of a JSON object and collects an issue for each invalid one. */
export class BodyReader {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #known = new Set<string>();

  /** @param path prefix for the names of the fields, such as `match.` */
  constructor(
    body: unknown,
    readonly issues: string[],
    private readonly path = '',
  ) {
    if (!isObject(body)) issues.push(`${path.slice(0, -1) || 'the body'} must be an object`);
    this.#fields = new Map(isObject(body) ? Object.entries(body) : []);
  }

  has(name: string): boolean {
    return this.#fields.get(name) !== undefined;
  }

  /** Returns a whole number; `fallback` if absent. Without a fallback the field is required. */
  integer(name: string, { min, max }: Range, fallback?: number): number {
    const value = this.#take(name) ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max)
      return value;
    this.#complain(name, `must be a whole number from ${min} to ${max}`);
    return min;
  }

  text(name: string): string | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'string') return value;
    this.#complain(name, 'must be a text');
    return undefined;
  }

  /** Returns one of the choices; undefined if absent. */
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.#take(name);
    const chosen = choices.find(choice => choice === value);
    if (value !== undefined && chosen === undefined)
      this.#complain(name, `must be one of ${choices.join(', ')}`);
    return chosen;
  }

  /** Returns what `read` returns, or records the error that it throws. Undefined if absent. */
  value<Value>(name: string, read: (value: unknown) => Value): Value | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    try {
      return read(value);
    } catch (error) {
      this.#complain(name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** Returns a reader of an inner object, of an empty one if absent. */
  inner(name: string): BodyReader {
    const value = this.#take(name) ?? {};
    return new BodyReader(value, this.issues, `${this.path}${name}.`);
  }

  /** Records an issue for each field that was not read. */
  refuseUnknown(): void {
    for (const name of this.#fields.keys())
      if (!this.#known.has(name)) this.#complain(name, 'is not a known field');
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return this.#fields.get(name);
  }

  #complain(name: string, complaint: string): void {
    this.issues.push(`${this.path}${name} ${complaint}`);
  }
}

/** Returns whether a value is a JSON object, not a list or null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
