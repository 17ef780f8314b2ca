import type { Stats } from 'node:fs';
import { open, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf, messageOf } from '../errors.js';
import { Timer, systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import type { EmbeddedServiceCenter } from '../embedded-service-center.js';
import type { RecordedRequest } from '../server/journal.js';

/**
 * A JSON file. It is written next to its place and then renamed, so that it is never incomplete,
 * even after a crash. A symbolic link stays and its target is written; mode and owner stay, too.
 */
export class DataFile {
  #underWay: Promise<void> = Promise.resolve();

  constructor(readonly path: string) {}

  /**
   * Returns the parsed content; undefined if the file does not exist.
   *
   * @throws Error that names the file if it cannot be read or is not JSON
   */
  async read(): Promise<unknown> {
    const content = await this.#content();
    if (content === undefined) return undefined;
    try {
      const document: unknown = JSON.parse(content);
      return document;
    } catch (error) {
      throw new Error(`${this.path} is not JSON: ${messageOf(error)}`, { cause: error });
    }
  }

  /**
   * Replaces the content. Writes are executed one after the other.
   *
   * @throws Error that names the file if it cannot be written; the old content is then kept
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
    try {
      await replace(await targetOf(this.path), content);
    } catch (error) {
      throw new Error(`${this.path} cannot be written: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Writes a file beside its place and renames it. */
async function replace(path: string, content: string): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await writeThrough(beside, content, await statusOf(path));
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Follows symbolic links to a file, which need not exist. */
async function targetOf(path: string): Promise<string> {
  const target = await ifThere(realpath(path));
  if (target !== undefined) return target;
  const link = await readlink(path).catch(() => undefined);
  return link === undefined ? path : targetOf(resolve(dirname(path), link));
}

/** Returns undefined for a file that does not exist yet. */
function statusOf(path: string): Promise<Stats | undefined> {
  return ifThere(stat(path));
}

async function ifThere<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a file and waits until it is on disk.
 *
 * @param like the file that it replaces, whose mode it gets, and whose owner if this is root
 */
async function writeThrough(path: string, content: string, like: Stats | undefined): Promise<void> {
  const file = await open(path, 'w', like?.mode);
  try {
    if (like !== undefined) {
      if (process.geteuid?.() === 0) await file.chown(like.uid, like.gid);
      await file.chmod(like.mode);
    }
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Milliseconds during which changes are collected before they are written. */
const delayMs = 1000;

/**
 * Saves the data of a Service Center to a file: one second after a request that may have changed
 * it, and at the end. A lease that ends is not a request, so it is saved with the next change.
 */
export class DataSaver {
  readonly #serviceCenter: EmbeddedServiceCenter;
  readonly #file: DataFile;
  readonly #onError: (error: unknown) => void;
  readonly #timer: Timer;
  #stopListening: (() => void) | undefined;
  #isDue = false;
  #written: string | undefined;

  /** @param onError is called if the file cannot be written; the next change tries again */
  constructor(
    serviceCenter: EmbeddedServiceCenter,
    file: DataFile,
    { onError, clock = systemClock }: { onError: (error: unknown) => void; clock?: Clock },
  ) {
    this.#serviceCenter = serviceCenter;
    this.#file = file;
    this.#onError = onError;
    this.#timer = new Timer(clock, () => void this.#saveDue());
  }

  /**
   * Writes the file, and from then on after each change.
   *
   * @throws Error that names the file if it cannot be written
   */
  async start(): Promise<void> {
    await this.#save();
    this.#stopListening ??= this.#serviceCenter.onRequest(request => {
      if (mayChange(request)) this.#scheduleSave();
    });
  }

  /**
   * Writes the last changes and stops.
   *
   * @throws Error that names the file if it cannot be written
   */
  async stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#timer.cancel();
    await this.#save();
  }

  /**
   * A change while the timer runs does not restart it, so that steady traffic cannot delay the
   * write forever.
   */
  #scheduleSave(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#timer.start(delayMs);
  }

  async #saveDue(): Promise<void> {
    this.#isDue = false;
    try {
      await this.#save();
    } catch (error) {
      this.#onError(error);
    }
  }

  async #save(): Promise<void> {
    const content = `${JSON.stringify(this.#serviceCenter.dump(), undefined, 2)}\n`;
    if (content === this.#written) return;
    await this.#file.write(content);
    this.#written = content;
  }
}

/** A find may add a dependency; a heartbeat changes nothing that is saved. */
function mayChange({ method, operation, headers }: RecordedRequest): boolean {
  if (method === 'GET') return headers['x-consumerid'] !== undefined;
  return operation !== 'heartbeat' && operation !== 'heartbeats';
}
