/** Listeners to one kind of event, called in the order in which they were added. */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  /** Whether there is a listener; without one, no event needs to be built. */
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
