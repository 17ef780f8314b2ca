import { once } from 'node:events';
import type { EmbeddedServiceCenter } from '../../lib/index.js';
import { FrameClient } from '../support/frame-client.js';
import type { FakeClock } from '../support/registry.js';
import { Bindings } from './bindings.js';
import { exchange } from '../support/exchange.js';
import type { RecordedExchange, RecordedFrame } from './frame-recording.js';
import { differencesIn } from './replay.js';

type Sent = Extract<RecordedFrame, { direction: 'sent' }>;
type Received = Extract<RecordedFrame, { direction: 'received' }>;

/** What a recording does not contain: addresses, credentials and other clients. */
export interface Stage {
  readonly path: string;
  readonly consumerId?: string | undefined;
  /** Headers of each handshake. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Authorization of each HTTP request. */
  readonly authorization?: string | undefined;
  /** Actions before the HTTP request of a name. */
  readonly before?: Readonly<Record<string, () => Promise<void>>> | undefined;
}

/** Replays recorded frames one by one, each at its time by the fake clock. */
export class FrameReplay {
  readonly #serviceCenter: EmbeddedServiceCenter;
  readonly #clock: FakeClock;
  readonly #stage: Stage;
  readonly #client: FrameClient;
  readonly #bindings = new Bindings();
  #isClosing = false;

  constructor(serviceCenter: EmbeddedServiceCenter, clock: FakeClock, stage: Stage) {
    this.#serviceCenter = serviceCenter;
    this.#clock = clock;
    this.#stage = stage;
    this.#client = new FrameClient(serviceCenter.url, { seesRefusals: true });
  }

  /** Returns every difference between the recording and this server. */
  async differences(frames: readonly RecordedFrame[]): Promise<string[]> {
    const found: string[] = [];
    let nowMs = 0;
    for (const frame of frames) {
      // Recorded times are whole milliseconds: frames are sent before timers of the same one fire.
      const atMs = Math.max(nowMs, frame.direction === 'sent' ? frame.t_ms - 1 : frame.t_ms);
      this.#clock.advance(atMs - nowMs);
      nowMs = atMs;
      const differences = await this.#replay(frame);
      found.push(...differences.map(each => `${nowMs} ms, ${frame.type}: ${each}`));
    }
    const rest = await this.#client.rest();
    return [...found, ...rest.map(frame => `not expected: ${JSON.stringify(frame)}`)];
  }

  close(): void {
    this.#client.close();
  }

  async #replay(frame: RecordedFrame): Promise<string[]> {
    switch (frame.direction) {
      case 'http':
        await this.#stage.before?.[frame.type]?.();
        return this.#ask(frame.payload);
      case 'sent':
        await this.#send(frame);
        return [];
      case 'received':
        return this.#receive(frame);
    }
  }

  async #ask({ method, path, body, status, answer }: RecordedExchange): Promise<string[]> {
    const { consumerId, authorization } = this.#stage;
    const told = await exchange(this.#serviceCenter.url, {
      method,
      path: this.#bindings.fillHashes(path),
      headers: {
        ...(consumerId === undefined ? {} : { 'X-ConsumerId': consumerId }),
        ...(authorization === undefined ? {} : { authorization }),
      },
      body,
    });
    if (told.status !== status) return [`status ${told.status}: ${told.text}`];
    if (answer === undefined) return [];
    const recorded = typeof answer === 'string' ? parsed(answer) : answer;
    return differencesIn(timeless(recorded), parsed(told.text), this.#bindings);
  }

  /** Sends a frame. If no frame answers it, resolves once the server has restarted its deadline. */
  async #send({ type, payload: { text = '' } }: Sent): Promise<void> {
    const { socket } = this.#client;
    switch (type) {
      case 'text':
        socket.send(text);
        return;
      case 'binary':
        socket.send(Buffer.from(text));
        return;
      case 'ping':
        socket.ping(text);
        return;
      case 'pong': {
        const noticed = this.#clock.nextTimer();
        socket.pong(text);
        await noticed;
        return;
      }
      case 'close':
        // The client's library answers a close of the server itself, as in the recording.
        if (this.#isClosing) return;
        socket.close(Buffer.from(text, 'latin1').readUInt16BE(), text.slice(2));
        await once(socket, 'close');
    }
  }

  async #receive({ type, payload }: Received): Promise<string[]> {
    this.#isClosing ||= type === 'close';
    if (type === 'handshake') {
      this.#client.connect(this.#stage.path, this.#stage.headers);
      this.#isClosing = false;
    }
    const frame = await this.#client.next();
    if (frame.type !== type) return [`got ${JSON.stringify(frame)}`];
    // How a TCP connection ends depends on what was still in transit.
    if (type === 'tcp-closed') return [];
    return differencesIn(timeless(payload), frame.payload, this.#bindings);
  }
}

/** Returns a document without its recorded time stamps. */
function timeless(document: unknown): unknown {
  return JSON.parse(
    JSON.stringify(document, (key, value: unknown) =>
      ['timestamp', 'modTimestamp'].includes(key) ? '{{timestamp}}' : value,
    ),
  );
}

function parsed(text: string): unknown {
  return text.startsWith('{') ? JSON.parse(text) : text;
}
