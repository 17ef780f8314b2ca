import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Writes an answer to a request, as bytes; nothing of HTTP is done for it. */
export type Reaction = (socket: Socket) => void;

/** Writes this, once. */
export function saying(head: string, body: string | Buffer = ''): Reaction {
  const bytes = Buffer.concat([Buffer.from(head.replaceAll('\n', '\r\n')), Buffer.from(body)]);
  return socket => socket.write(bytes);
}

/** Writes a beginning, and then this as fast as it is taken, until the other side has enough. */
export function pouring(head: string, piece: string | Buffer): Reaction {
  const bytes = Buffer.from(piece);
  return socket => {
    const pour = () => {
      while (!socket.destroyed && socket.write(bytes));
    };
    socket.on('drain', pour).write(head.replaceAll('\n', '\r\n'));
    pour();
  };
}

/** Something that listens where a registry should. */
export class HostileServer {
  /** Requests so far. */
  requests = 0;
  readonly #open = new Set<Socket>();
  readonly #server = createServer(socket => this.#meet(socket));

  constructor(public react: Reaction = () => undefined) {}

  /** Resolves with its address. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #meet(socket: Socket): void {
    this.#open.add(socket);
    // A client that has enough resets the connection.
    socket.on('error', () => undefined).on('close', () => this.#open.delete(socket));
    socket.on('data', data => {
      if (!/^[A-Z]+ .* HTTP/.test(data.toString('latin1'))) return;
      this.requests += 1;
      this.react(socket);
    });
  }
}
