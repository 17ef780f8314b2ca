import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { TlsMaterial, TlsMaterialFiles } from '../options/resolved-options.js';

/** The parts that the files are watched with. */
export interface TlsFilesParts {
  /** The certificates at the start. */
  readonly used: TlsMaterial;
  readonly clock: { readonly now: () => number };
  /** Milliseconds from one reading of the files to the next. */
  readonly everyMs: number;
  /** Called with the new certificates once all of them fit together. */
  readonly renew: (material: TlsMaterial) => void;
  readonly logger: Readonly<Record<'log' | 'warn', (message: string) => void>>;
  /** Runs the readings and keeps their errors. */
  readonly background: BackgroundPort;
}

/** Runs work that nobody waits for. */
interface BackgroundPort {
  start(work: (signal: AbortSignal) => Promise<void>): void;
  /** Throws the error of an earlier start. */
  throwPending(): void;
  stop(): void;
}

/** The text of a file, or why it could not be read. */
type Content = string | { readonly error: unknown };

/**
 * Reads the files of certificates and keys from time to time, also while nothing is registered. Compares
 * their text, not their time, which two writes may share; and checks only what has changed, since opening a
 * key or reading a list of authorities takes a while. Unusable files are logged once and change nothing.
 */
export class TlsFiles {
  readonly isUnconditional = true;
  #seen: ReadonlyMap<string, Content> | undefined;
  #dueAt = -Infinity;
  #isLooking = false;
  #problem: string | undefined;
  #used: TlsMaterial;

  constructor(
    private readonly files: TlsMaterialFiles,
    private readonly parts: TlsFilesParts,
  ) {
    this.#used = parts.used;
  }

  /** Reads the files if that is due; returns when it is due next. */
  tick(): number {
    this.parts.background.throwPending();
    const now = this.parts.clock.now();
    if (this.#dueAt > now) return this.#dueAt;
    this.#dueAt = now + this.parts.everyMs;
    if (!this.#isLooking) this.parts.background.start(signal => this.#look(signal));
    return this.#dueAt;
  }

  stop(): void {
    this.parts.background.stop();
    this.#dueAt = -Infinity;
  }

  async #look(signal: AbortSignal): Promise<void> {
    this.#isLooking = true;
    try {
      const contents = await this.#read(signal);
      if (isDeepStrictEqual(contents, this.#seen)) return;
      this.#seen = contents;
      const reading = this.files.read(path => textOf(contents.get(path)));
      if (reading.kind === 'good') this.#use(reading.material);
      else this.#report(`serviceCenter.tls.${reading.option} ${reading.problem}`);
    } finally {
      this.#isLooking = false;
    }
  }

  async #read(signal: AbortSignal): Promise<ReadonlyMap<string, Content>> {
    const read = async (path: string): Promise<readonly [string, Content]> => {
      const text = readFile(path, { encoding: 'utf8', signal });
      return [path, await text.catch((error: unknown) => ({ error }))];
    };
    const contents = await Promise.all(this.files.paths.map(read));
    signal.throwIfAborted();
    return new Map(contents);
  }

  #report(problem: string): void {
    if (problem !== this.#problem)
      this.parts.logger.warn(
        `The changed files of serviceCenter.tls cannot be used, so the certificates stay: ${problem}`,
      );
    this.#problem = problem;
  }

  #use(material: TlsMaterial): void {
    const { logger, renew } = this.parts;
    const wasBroken = this.#problem !== undefined;
    this.#problem = undefined;
    const isSame = JSON.stringify(material) === JSON.stringify(this.#used);
    if (isSame && wasBroken) logger.log('The files of serviceCenter.tls are as they were before');
    if (isSame) return;
    this.#used = material;
    renew(material);
    logger.log(
      'The files of serviceCenter.tls have changed: new connections to Service Center use them',
    );
  }
}

function textOf(content: Content | undefined): string {
  if (typeof content === 'string') return content;
  throw content?.error;
}
