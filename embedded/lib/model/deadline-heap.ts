interface Entry<Item> {
  readonly dueAt: number;
  readonly item: Item;
}

/**
 * Items in the order of their deadlines. Adding and taking take logarithmic time, and a request
 * without due items costs nothing, so that thousands of leases do not slow down requests.
 */
export class DeadlineHeap<Item> {
  readonly #entries: Entry<Item>[] = [];

  clear(): void {
    this.#entries.length = 0;
  }

  add(dueAt: number, item: Item): void {
    const entry = { dueAt, item };
    let at = this.#entries.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#entries[above];
      if (parent === undefined || parent.dueAt <= dueAt) break;
      this.#entries[at] = parent;
      at = above;
    }
    this.#entries[at] = entry;
  }

  /** Deadline of the first item; undefined if empty. */
  get firstDueAt(): number | undefined {
    return this.#entries[0]?.dueAt;
  }

  /** Removes and returns the first item if it is due by `now`, inclusive. */
  takeDue(now: number): Item | undefined {
    const first = this.#entries[0];
    if (first === undefined || first.dueAt > now) return undefined;
    const last = this.#entries.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first.item;
  }

  #sink(entry: Entry<Item>): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = this.#entries[left + 1];
      const lesser = this.#entries[left];
      if (lesser === undefined) break;
      const below = right !== undefined && right.dueAt < lesser.dueAt ? left + 1 : left;
      const child = this.#entries[below];
      if (child === undefined || child.dueAt >= entry.dueAt) break;
      this.#entries[at] = child;
      at = below;
    }
    this.#entries[at] = entry;
  }
}
