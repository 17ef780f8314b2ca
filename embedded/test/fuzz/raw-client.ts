import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { takeAnswer } from './http-answer.js';
import type { HttpAnswer } from './http-answer.js';

/** How long an answer may take; only a server that fails takes so long. */
const patienceMs = 10_000;

/** A connection that sends bytes as they are, and reads what comes back strictly. */
export class RawClient {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setTimeout(patienceMs, () => socket.destroy(new Error('silence')));
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#wake());
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Sends no more, but reads on. */
  end(bytes: Buffer): void {
    this.#socket.end(bytes);
  }

  /** The next answer that is no interim one; undefined when the server closes instead. */
  async answer(method?: string): Promise<HttpAnswer | undefined> {
    for (;;) {
      const taken = takeAnswer(this.#received, this.#socket.destroyed, method);
      if (taken === undefined) {
        if (this.#socket.destroyed) return this.#nothingLeft();
        await this.#arrival();
        continue;
      }
      this.#received = taken.rest;
      if (taken.answer.status >= 200 || taken.answer.status === 101) return taken.answer;
    }
  }

  /** All that comes until the server closes. */
  async everything(): Promise<Buffer> {
    while (!this.#socket.destroyed) await this.#arrival();
    if (this.#socket.errored?.message === 'silence') throw this.#socket.errored;
    return this.#received;
  }

  close(): void {
    this.#socket.destroy();
  }

  #nothingLeft(): undefined {
    if (this.#socket.errored !== null) throw this.#socket.errored;
    if (this.#received.length > 0) throw new Error('the server closed in the middle of an answer');
  }

  #arrival(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve;
    });
  }
}
