import { open, readFile, rename, rm } from 'node:fs/promises';
import { codeOf, messageOf } from '../errors.js';
import { Timer, systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import type { EmbeddedServiceCenter } from '../embedded-service-center.js';
import type { RecordedRequest } from '../server/journal.js';

/**
 * A JSON file. It is written next to its place and then renamed, so that it is never incomplete,
 * even after a crash.
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

/** Writes a file and waits until it is on disk. */
async function writeThrough(path: string, content: string): Promise<void> {
  const file = await open(path, 'w');
  try {
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
