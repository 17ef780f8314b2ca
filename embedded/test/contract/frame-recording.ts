import { readFileSync } from 'node:fs';
import { packagePath } from '../support/package-path.js';

/** An HTTP exchange beside a recorded WebSocket. */
export interface RecordedExchange {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  /** An object, or the text of the answer; absent where it was not looked at. */
  readonly answer?: unknown;
}

/** What a frame brought; which of these there are depends on its type. */
export interface FramePayload {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /** Of a handshake that was refused. */
  readonly body?: string;
  readonly hex?: string;
  readonly length?: number;
  readonly code?: number;
  readonly reason?: string;
}

/** Something that came from the server, a closed connection included. */
export interface ReceivedFrame {
  readonly type: 'handshake' | 'text' | 'ping' | 'pong' | 'close' | 'tcp-closed';
  readonly payload: FramePayload;
}

/** One moment of a recorded WebSocket. */
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

/** Reads a frame by frame recording of the source tree. */
export function readFrames(name: string): readonly FrameScenario[] {
  const file = packagePath(`test/contract/recordings/${name}.json`);
  const recording = JSON.parse(readFileSync(file, 'utf8')) as { scenarios: FrameScenario[] };
  return recording.scenarios;
}
