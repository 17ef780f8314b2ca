import { open, readFile, rename, rm } from 'node:fs/promises';
import { codeOf, messageOf } from '../errors.js';
import { Timer, systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import type { EmbeddedServiceCenter } from '../embedded-service-center.js';
import type { RecordedRequest } from '../server/journal.js';

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

/** How long changes are gathered before they are written. */
const delayMs = 1000;

/**
 * Keeps what a Service Center knows in a file: a second after a request that may have changed it, and
 * at the end. Leases that end in between are no request; the file learns of them with the next one.
 */
export class DataSaver {
  readonly #serviceCenter: EmbeddedServiceCenter;
  readonly #file: DataFile;
  readonly #onError: (error: unknown) => void;
  readonly #timer: Timer;
  #stopListening: (() => void) | undefined;
  #isDue = false;
  #written: string | undefined;

  /** @param onError is told when the file cannot be written; the next change tries it again */
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
   * Writes the file, and from then on when there is something new.
   *
   * @throws Error that names the file when it cannot be written
   */
  async start(): Promise<void> {
    await this.#save();
    this.#stopListening ??= this.#serviceCenter.onRequest(request => {
      if (mayChange(request)) this.#scheduleSave();
    });
  }

  /**
   * Writes what is new for the last time.
   *
   * @throws Error that names the file when it cannot be written
   */
  async stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#timer.cancel();
    await this.#save();
  }

  /** Changes that come while an alarm is set ride along, so that many do not put it off for good. */
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

/** A find changes what depends on what; a heartbeat changes nothing that a restart would not. */
function mayChange({ method, operation, headers }: RecordedRequest): boolean {
  if (method === 'GET') return headers['x-consumerid'] !== undefined;
  return operation !== 'heartbeat' && operation !== 'heartbeats';
}
