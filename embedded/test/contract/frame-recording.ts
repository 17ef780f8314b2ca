import { readFileSync } from 'node:fs';
import { packagePath } from '../support/package-path.js';

/** An HTTP request next to a recorded WebSocket. */
export interface RecordedExchange {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  /** An object, or the text of the answer; absent if it was not recorded. */
  readonly answer?: unknown;
}

/** Content of a frame; the fields depend on its type. */
interface FramePayload {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /** Body of a refused handshake. */
  readonly body?: string;
  readonly hex?: string;
  readonly length?: number;
  readonly code?: number;
  readonly reason?: string;
}

/** A frame from the server, or the end of the connection. */
export interface ReceivedFrame {
  readonly type: 'handshake' | 'text' | 'ping' | 'pong' | 'close' | 'tcp-closed';
  readonly payload: FramePayload;
}

/** One event of a recorded WebSocket. */
export type RecordedFrame = { readonly t_ms: number } & (
  | ({ readonly direction: 'received' } & ReceivedFrame)
  | {
      readonly direction: 'sent';
      readonly type: 'text' | 'binary' | 'ping' | 'pong' | 'close';
      readonly payload: FramePayload;
    }
  | { readonly direction: 'http'; readonly type: string; readonly payload: RecordedExchange }
);

/** One recorded connection, or several that belong together. */
export interface FrameScenario {
  readonly scenario: string;
  readonly frames: readonly RecordedFrame[];
}

/** Reads a recording of frames. */
export function readFrames(name: string): readonly FrameScenario[] {
  const file = packagePath(`test/contract/recordings/${name}.json`);
  const recording = JSON.parse(readFileSync(file, 'utf8')) as { scenarios: FrameScenario[] };
  return recording.scenarios;
}
