import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { ReceivedFrame } from '../contract/frame-recording.js';

/** Milliseconds to wait for an expected frame; only a failing test waits that long. */
const patienceMs = 5_000;

/**
 * WebSocket clients that answer nothing automatically, with all received frames in one sequence.
 */
export class FrameClient {
  readonly #url: string;
  readonly #seesRefusals: boolean;
  readonly #sockets: WebSocket[] = [];
  readonly #received: ReceivedFrame[] = [];
  readonly #waiting = new Set<() => void>();

  /**
   * @param url of the registry, starting with `http`
   * @param seesRefusals records a refused handshake as a frame instead of throwing
   */
  constructor(url: string, { seesRefusals = false }: { readonly seesRefusals?: boolean } = {}) {
    this.#seesRefusals = seesRefusals;
    this.#url = url.replace(/^http/, 'ws');
  }

  /** Opens another connection, which later frames are sent on. */
  connect(path: string, headers: Readonly<Record<string, string>> = {}): WebSocket {
    const socket = new WebSocket(this.#url + path, { autoPong: false, headers });
    this.#sockets.push(socket);
    socket.on('upgrade', (response: IncomingMessage) => {
      const { upgrade: Upgrade = '', connection: Connection = '' } = response.headers;
      const payload = { status: response.statusCode ?? 0, headers: { Upgrade, Connection } };
      this.#receive({ type: 'handshake', payload });
    });
    if (this.#seesRefusals) this.#watchForRefusal(socket);
    socket.on('message', (data: Buffer) => this.#receive(textFrame(data.toString())));
    socket.on('ping', data => this.#receive({ type: 'ping', payload: control(data) }));
    socket.on('pong', data => this.#receive({ type: 'pong', payload: control(data) }));
    socket.on('close', (code, reason) => {
      // 1006 means that a connection ended without a close frame.
      if (code !== 1006)
        this.#receive({ type: 'close', payload: { code, reason: reason.toString() } });
      this.#receive({ type: 'tcp-closed', payload: {} });
    });
    socket.on('error', () => undefined);
    return socket;
  }

  get socket(): WebSocket {
    const socket = this.#sockets.at(-1);
    if (socket === undefined) throw new Error('not connected');
    return socket;
  }

  /** Takes the next frame, or waits for it. */
  async next(): Promise<ReceivedFrame> {
    if (this.#received.length === 0) await this.arrival();
    const [frame] = this.#received.splice(0, 1);
    if (frame === undefined) throw new Error(`no frame within ${patienceMs} ms`);
    return frame;
  }

  /** Resolves when another frame arrives, or none does for too long. */
  arrival(): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, patienceMs);
      this.#waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Returns the frames that arrive before the answer to a ping on each open connection. */
  async rest(): Promise<readonly ReceivedFrame[]> {
    const rest: ReceivedFrame[] = [];
    for (const socket of this.#sockets.filter(({ readyState }) => readyState === WebSocket.OPEN)) {
      socket.ping();
      for (let frame = await this.next(); frame.type !== 'pong'; frame = await this.next())
        rest.push(frame);
    }
    return [...rest, ...this.#received.splice(0)];
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  #watchForRefusal(socket: WebSocket): void {
    socket.on('unexpected-response', (_, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const payload = { status: response.statusCode ?? 0, headers: lastHeaders(response), body };
        this.#receive({ type: 'handshake', payload });
        socket.removeAllListeners('close').terminate();
      });
    });
  }

  #receive(frame: ReceivedFrame): void {
    this.#received.push(frame);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Returns the headers of a refusal; of several with one name the last. */
function lastHeaders({ rawHeaders }: IncomingMessage): Readonly<Record<string, string>> {
  const recorded = new Set(['Server', 'Vary', 'Content-Length', 'Content-Type']);
  const headers: Record<string, string> = {};
  for (const [at, name] of rawHeaders.entries())
    if (at % 2 === 0 && recorded.has(name)) headers[name] = rawHeaders[at + 1] ?? '';
  return headers;
}

function textFrame(text: string): ReceivedFrame {
  return { type: 'text', payload: text.startsWith('{') ? { json: JSON.parse(text) } : { text } };
}

function control(data: Buffer): ReceivedFrame['payload'] {
  if (data.length === 0) return { length: 0 };
  return { hex: data.toString('hex'), text: data.toString() };
}
