import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  materialFiles,
  type MaterialReading,
  type ResolvedTls,
  optionOf,
  readMaterial,
  type TlsMaterial,
} from '../options/tls-material.js';
import { Background, type BackgroundWork } from '../registration/background.js';
import type { Clock } from '../registration/clock.js';
import type { RegistryLogger } from './tokens.js';

/** What the files are watched with. */
export interface TlsFilesParts {
  readonly clock: Clock;
  /** Milliseconds between two looks at the files. */
  readonly everyMs: number;
  /** Called with what changed, once all of it fits together. */
  readonly renew: (material: TlsMaterial) => void;
  readonly logger: Pick<RegistryLogger, 'log' | 'warn'>;
}

/** The text of a file, or why it could not be read. */
type Content = string | { readonly error: unknown };

type Contents = ReadonlyMap<string, Content>;

/**
 * Looks at the files of certificates and keys, as work beside the heartbeats. Their text is compared, not
 * their time, which two writes may share; and only what has changed is checked, for it takes long to open a key
 * or to read a list of authorities. What cannot be used changes nothing, and is told once.
 */
export class TlsFiles implements BackgroundWork {
  readonly isUnconditional = true;
  #seen: Contents | undefined;
  #dueAt: number;
  #used: TlsMaterial;
  #problem: string | undefined;
  readonly #paths: readonly string[];
  readonly #background = new Background();

  constructor(
    private readonly tls: ResolvedTls,
    private readonly parts: TlsFilesParts,
  ) {
    this.#paths = materialFiles(tls);
    this.#used = tls.material?.() ?? {};
    this.#dueAt = this.#paths.length === 0 ? Infinity : -Infinity;
  }

  tick(): number {
    this.#background.throwPending();
    if (this.#dueAt > this.parts.clock.now()) return this.#dueAt;
    this.#dueAt = Infinity;
    this.#background.start(signal => this.#look(signal));
    return this.#dueAt;
  }

  stop(): void {
    this.#background.stop();
    if (this.#paths.length > 0) this.#dueAt = -Infinity;
  }

  async #look(signal: AbortSignal): Promise<void> {
    try {
      const contents = await this.#read(signal);
      if (isDeepStrictEqual(contents, this.#seen)) return;
      this.#seen = contents;
      this.#take(readMaterial(this.tls, path => textOf(contents.get(path))));
    } finally {
      this.#dueAt = this.parts.clock.now() + this.parts.everyMs;
    }
  }

  async #read(signal: AbortSignal): Promise<Contents> {
    const read = (path: string) =>
      readFile(path, { encoding: 'utf8', signal }).catch((error: unknown) => ({ error }));
    const contents = await Promise.all(
      this.#paths.map(async path => [path, await read(path)] as const),
    );
    signal.throwIfAborted();
    return new Map(contents);
  }

  #take(reading: MaterialReading): void {
    const { logger, renew } = this.parts;
    if (reading.kind === 'bad') {
      const problem = `serviceCenter.tls.${optionOf(this.tls, reading.part)} ${reading.problem}`;
      if (problem !== this.#problem)
        logger.warn(`Certificates have changed and cannot be used, so the old stay: ${problem}`);
      this.#problem = problem;
      return;
    }
    const wasBroken = this.#problem !== undefined;
    this.#problem = undefined;
    if (isSame(reading.material, this.#used)) {
      if (wasBroken) logger.log('Certificates are as they were before');
      return;
    }
    this.#used = reading.material;
    renew(reading.material);
    logger.log('Certificates have changed: new connections to Service Center use the new ones');
  }
}

function textOf(content: Content | undefined): string {
  if (typeof content === 'string') return content;
  throw content?.error;
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
