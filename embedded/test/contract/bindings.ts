const placeholder = /\{\{(\w+)\}\}/g;
const hash = /^([0-9a-f]{40}|[0-9a-f]{32})$/;
const timestamp = /^\d{10}$/;

/** Recorded hashes that are the same on every server: of no instances, and of SERVICECENTER's key. */
const constants = new Set([
  '97784746be9a2d00f08bc72fe1ce5ff8c7d07ffe',
  '7062417bf9ebd4c646bb23059003cea42180894a',
]);

/**
 * What the names and hashes of a recording stand for on the server that is asked. One stands for
 * one value throughout, and two revisions that were different must still be different.
 */
export class Bindings {
  readonly #values = new Map<string, string>();

  /** Puts the values of saved names into text that is sent. */
  fill(text: string): string {
    return text.replaceAll(placeholder, (whole, name: string) => this.#values.get(name) ?? whole);
  }

  /** Has a name stand for a value that no answer gives. */
  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /** Forgets what a name stands for: the answer to come gives it a new value. */
  release(name: string): void {
    this.#values.delete(name);
  }

  /** Puts what recorded hashes stand for into text that is sent. */
  fillHashes(text: string): string {
    return text.replaceAll(/\b[0-9a-f]{32,40}\b/g, whole => this.#values.get(whole) ?? whole);
  }

  /** Tells why a value is not what was recorded; undefined when it is. Binds what it meets first. */
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
