import type {
  Handshake,
  OpenSocket,
  Socket,
  SocketEnd,
  SocketEvents,
} from '../../lib/protocol/open-socket.js';

/** A WebSocket without a network: a test says what happens to it, and sees what is done to it. */
export class FakeSocket implements Socket {
  readonly done: ('ping' | 'close' | 'terminate')[] = [];
  #isOver = false;

  constructor(
    readonly handshake: Handshake,
    private readonly events: SocketEvents,
  ) {}

  /** Whether it holds a connection. */
  get isLive(): boolean {
    return !this.#isOver;
  }

  ping(): void {
    this.done.push('ping');
  }

  close(): void {
    this.done.push('close');
    this.#isOver = true;
  }

  terminate(): void {
    this.done.push('terminate');
    this.#isOver = true;
  }

  /** Accepts the handshake. */
  open(): void {
    this.events.opened();
  }

  receive(text: string): void {
    this.events.received(text);
  }

  /** Sends a ping or a pong. */
  hear(): void {
    this.events.heard();
  }

  end(end: SocketEnd): void {
    this.#isOver = true;
    this.events.ended(end);
  }
}

/** The port to WebSockets without a network. */
export class FakeSockets {
  readonly all: FakeSocket[] = [];

  readonly open: OpenSocket = (handshake, events) => {
    const socket = new FakeSocket(handshake, events);
    this.all.push(socket);
    return socket;
  };

  get live(): readonly FakeSocket[] {
    return this.all.filter(({ isLive }) => isLive);
  }

  /** The last that was opened. */
  get last(): FakeSocket {
    const socket = this.all.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }
}
