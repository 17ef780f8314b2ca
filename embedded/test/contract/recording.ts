import { readFileSync } from 'node:fs';
import { packagePath } from '../support/package-path.js';

/** One request of a recorded scenario, with the answer of a real server. */
export interface RecordedStep {
  readonly step: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly rawBody?: string;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly json?: unknown;
    readonly text?: string;
  };
  /** Values to save from the answer's JSON, by path. */
  readonly save?: Readonly<Record<string, string>>;
  /** Values to save from the answer's headers. */
  readonly saveHeader?: Readonly<Record<string, string>>;
  /** Seconds before the request was sent. */
  readonly waitSeconds?: number;
}

/** A scenario of consecutive steps. */
export interface Recording {
  readonly scenario: string;
  readonly steps: readonly RecordedStep[];
}

/** Reads a recording. */
export function readRecording(name: string): Recording {
  const file = packagePath(`test/contract/recordings/${name}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Recording;
}
