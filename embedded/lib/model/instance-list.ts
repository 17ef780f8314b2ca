import { gzipSync } from 'node:zlib';
import type { InstanceRecord } from './records.js';

/**
 * The instances of a service in one state. It is replaced when one of them changes, so that whatever
 * follows from it is computed once, however many ask.
 */
export class InstanceList {
  /** Number of the latest change of an instance; 0 without instances. */
  readonly latest: number;

  constructor(readonly records: readonly InstanceRecord[]) {
    this.latest = records.reduce((max, { modRevision }) => Math.max(max, modRevision), 0);
  }

  get size(): number {
    return this.records.length;
  }
}

/** The instances of a service by id, with the list of their current state. */
export class InstanceTable extends Map<string, InstanceRecord> {
  readonly #texts: ListTexts;
  #list: InstanceList | undefined;

  /** @param texts the texts of lists, which are dropped with them */
  constructor(texts: ListTexts) {
    super();
    this.#texts = texts;
  }

  /** All instances, in the order of their first registration; the same object until one changes. */
  get list(): InstanceList {
    this.#list ??= new InstanceList([...this.values()]);
    return this.#list;
  }

  override set(instanceId: string, record: InstanceRecord): this {
    this.dropList();
    return super.set(instanceId, record);
  }

  override delete(instanceId: string): boolean {
    this.dropList();
    return super.delete(instanceId);
  }

  /** Forgets the list and its text. */
  dropList(): void {
    if (this.#list !== undefined) this.#texts.drop(this.#list);
    this.#list = undefined;
  }
}

/** The text of a list, which is compressed at most once. */
export class ListText {
  #gzip: Buffer | undefined;

  constructor(readonly text: string) {}

  get gzip(): Buffer {
    this.#gzip ??= gzipSync(this.text);
    return this.#gzip;
  }
}

/** Characters of all texts together, at most. Compressed they take a few per cent more. */
const mostCharacters = 64 * 1024 * 1024;

/**
 * The texts of lists as they are sent. A text is kept until its list is replaced, or until it is the
 * one that was not used for longest and the texts have grown too long.
 */
export class ListTexts {
  /** The text that was not used for longest comes first. */
  readonly #texts = new Map<InstanceList, ListText>();
  readonly #mostCharacters: number;
  #characters = 0;

  constructor(most = mostCharacters) {
    this.#mostCharacters = most;
  }

  /** Number of characters that are kept. */
  get characters(): number {
    return this.#characters;
  }

  /**
   * Returns the text of a list.
   *
   * @param write returns the text if none is kept
   */
  textOf(list: InstanceList, write: (list: InstanceList) => string): ListText {
    const text = this.#texts.get(list) ?? new ListText(write(list));
    this.drop(list);
    this.#texts.set(list, text);
    this.#characters += text.text.length;
    for (const [oldest] of this.#texts) {
      if (this.#characters <= this.#mostCharacters) break;
      this.drop(oldest);
    }
    return text;
  }

  /** Forgets the text of a list that has been replaced. */
  drop(list: InstanceList): void {
    this.#characters -= this.#texts.get(list)?.text.length ?? 0;
    this.#texts.delete(list);
  }
}
