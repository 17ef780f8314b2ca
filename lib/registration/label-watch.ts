import type { RegistrationState } from './state.js';

/** Remembers which state was seen last, and tells when another one is. */
export class LabelWatch {
  readonly #listeners = new Set<(state: RegistrationState) => void>();

  constructor(
    private last: RegistrationState,
    /** When it began, of the wall clock. */
    private began: number,
  ) {}

  get label(): RegistrationState {
    return this.last;
  }

  get since(): number {
    return this.began;
  }

  /** Notes the state of this moment. */
  note(label: RegistrationState, wallNow: number): void {
    if (label === this.last) return;
    this.last = label;
    this.began = wallNow;
    for (const listener of this.#listeners) listener(label);
  }

  /** Calls back with each new state; returns the function that ends it. */
  onChange(listener: (state: RegistrationState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
