/** Who wants to know of something, in the order in which they asked. */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  /** False while nobody listens: then nothing needs to be put together. */
  get hasAny(): boolean {
    return this.#listeners.size > 0;
  }

  /** Adds a listener; the returned function removes it. */
  add(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: Event): void {
    for (const listener of this.#listeners) listener(event);
  }
}
