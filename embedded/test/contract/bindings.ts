const placeholder = /\{\{(\w+)\}\}/g;
const hash = /^([0-9a-f]{40}|[0-9a-f]{32})$/;
const timestamp = /^\d{10}$/;

/**
 * Recorded hashes that are the same on every server: of no instances, and of the key of
 * SERVICECENTER.
 */
const constants = new Set([
  '97784746be9a2d00f08bc72fe1ce5ff8c7d07ffe',
  '7062417bf9ebd4c646bb23059003cea42180894a',
]);

/**
 * Maps names and hashes of a recording to values of the tested server. Each name stands for one
 * value, and two revisions that differed must still differ.
 */
export class Bindings {
  readonly #values = new Map<string, string>();

  /** Replaces saved names in text to be sent. */
  fill(text: string): string {
    return text.replaceAll(placeholder, (whole, name: string) => this.#values.get(name) ?? whole);
  }

  /** Binds a name to a value that no answer contains. */
  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /** Forgets the value of a name; the next answer sets a new one. */
  release(name: string): void {
    this.#values.delete(name);
  }

  /** Replaces recorded hashes in text to be sent. */
  fillHashes(text: string): string {
    return text.replaceAll(/\b[0-9a-f]{32,40}\b/g, whole => this.#values.get(whole) ?? whole);
  }

  /**
   * Returns why a value differs from the recorded one; undefined if it does not. Binds names and
   * hashes on first use.
   */
  mismatch(recorded: string, actual: unknown): string | undefined {
    if (typeof actual !== 'string') return `expected text, got ${JSON.stringify(actual)}`;
    if (recorded === '{{timestamp}}')
      return timestamp.test(actual) ? undefined : `expected ten digits, got ${actual}`;
    const name = /^\{\{(\w+)\}\}$/.exec(recorded)?.[1];
    if (name !== undefined) return this.#sameAsBefore(name, actual);
    if (hash.test(recorded) && !constants.has(recorded)) {
      if (!hash.test(actual) || actual.length !== recorded.length)
        return `expected a hash like ${recorded}, got ${actual}`;
      return this.#sameAsBefore(recorded, actual);
    }
    const expected = this.fill(recorded);
    return expected === actual ? undefined : `expected ${expected}, got ${actual}`;
  }

  #sameAsBefore(name: string, actual: string): string | undefined {
    const bound = this.#values.get(name);
    if (bound !== undefined)
      return bound === actual ? undefined : `expected ${bound} (${name}), got ${actual}`;
    if (actual === '') return `expected a value for ${name}, got none`;
    const other = [...this.#values].find(([, value]) => value === actual)?.[0];
    if (other !== undefined) return `${name} and ${other} are both ${actual}`;
    this.#values.set(name, actual);
    return undefined;
  }
}
