import { open, readFile, rename, rm } from 'node:fs/promises';
import { codeOf, messageOf } from './failure.js';

/**
 * A JSON file. It is written beside its place and moved there, so that whoever reads it, or finds it
 * after a crash, has an old or a new one and never a half.
 */
export class DataFile {
  #underWay: Promise<void> = Promise.resolve();

  constructor(readonly path: string) {}

  /**
   * What the file holds; undefined when there is none.
   *
   * @throws Error that names the file when it cannot be read, or is no JSON
   */
  async read(): Promise<unknown> {
    const content = await this.#content();
    if (content === undefined) return undefined;
    try {
      const document: unknown = JSON.parse(content);
      return document;
    } catch (error) {
      throw new Error(`${this.path} is no JSON: ${messageOf(error)}`, { cause: error });
    }
  }

  /**
   * Replaces what the file holds. One write waits for the other.
   *
   * @throws Error that names the file when it cannot be written; it then holds what it held
   */
  write(content: string): Promise<void> {
    const written = this.#underWay.then(() => this.#replace(content));
    this.#underWay = written.catch(() => undefined);
    return written;
  }

  async #content(): Promise<string | undefined> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw new Error(`${this.path} cannot be read: ${messageOf(error)}`, { cause: error });
    }
  }

  async #replace(content: string): Promise<void> {
    const beside = `${this.path}.${process.pid}.tmp`;
    try {
      await writeThrough(beside, content);
      await rename(beside, this.path);
    } catch (error) {
      await rm(beside, { force: true }).catch(() => undefined);
      throw new Error(`${this.path} cannot be written: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Writes a file down to the disk. */
async function writeThrough(path: string, content: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
