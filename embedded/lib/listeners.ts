/** Who wants to know of something, in the order in which they asked. */
export class Listeners<Told> {
  readonly #listeners = new Set<(told: Told) => void>();

  /** False while nobody listens: then nothing needs to be put together. */
  get areThere(): boolean {
    return this.#listeners.size > 0;
  }

  /** Adds a listener; the returned function removes it. */
  add(listener: (told: Told) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(told: Told): void {
    for (const listener of this.#listeners) listener(told);
  }
}
