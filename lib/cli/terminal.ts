import { styleText } from 'node:util';

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command reads from and writes to. */
export interface Terminal {
  /** Arguments without the program's own name. */
  readonly args: readonly string[];
  readonly env: Environment;
  /** Writes a text and a line break to standard output. */
  readonly print: (text: string) => void;
  /** Writes a text and a line break to standard error. */
  readonly printError: (text: string) => void;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Its width in characters; that of a page elsewhere. */
  readonly columns: number;
  /** Shows what the command waits for, in place of what was shown before; undefined removes it. */
  readonly showProgress: (text: string | undefined) => void;
  /** Aborted at Ctrl-C, and when the process is told to end. */
  readonly stopped: AbortSignal;
}

/** A colour or another format of a terminal. */
export type Format = Parameters<typeof styleText>[0];

/** Formats a text, or returns it as it is where there are no colours. */
export type Paint = (format: Format, text: string) => string;

/** Returns what formats texts for a terminal: nothing is coloured elsewhere, unless `FORCE_COLOR` says so. */
export function paintFor({ env, isTerminal }: Pick<Terminal, 'env' | 'isTerminal'>): Paint {
  if (!isColoured(env, isTerminal)) return (_, text) => text;
  return (format, text) => styleText(format, text, { validateStream: false });
}

/** `FORCE_COLOR` wins over `NO_COLOR`, as it does in Node. */
function isColoured(
  { FORCE_COLOR: force, NO_COLOR: no = '', TERM: terminal }: Environment,
  isTerminal: boolean,
): boolean {
  if (force !== undefined) return force !== '0' && force !== 'false';
  return no === '' && isTerminal && terminal !== 'dumb';
}
