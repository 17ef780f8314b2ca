import { readFileSync } from 'node:fs';
import { packagePath } from '../support/package-path.js';

/** One request of a recorded scenario, and what a real server answered. */
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
  /** Values to take out of this answer's JSON, by the path that leads to them. */
  readonly save?: Readonly<Record<string, string>>;
  /** Values to take out of this answer's headers. */
  readonly saveHeader?: Readonly<Record<string, string>>;
  /** What passed before the request was sent. */
  readonly waitSeconds?: number;
}

/** A scenario: its steps build on each other. */
export interface Recording {
  readonly scenario: string;
  readonly steps: readonly RecordedStep[];
}

/** Reads a recording of the source tree. */
export function readRecording(name: string): Recording {
  const file = packagePath(`test/contract/recordings/${name}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Recording;
}
