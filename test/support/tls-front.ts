import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server } from 'node:tls';
import type { Cleanup } from './test-app.js';

/** TLS before a server of plain HTTP: its certificate, and whom it trusts, change as a test says. */
export class TlsFront {
  readonly #sockets = new Set<Socket>();
  readonly #behind: number;
  #server: Server;

  private constructor(behind: string, tls: SecureContextOptions) {
    this.#behind = Number(new URL(behind).port);
    this.#server = this.#serverOf(tls);
  }

  /** With a `ca` it demands a certificate of each client. */
  static async start(
    cleanup: Cleanup,
    behind: string,
    tls: SecureContextOptions,
  ): Promise<TlsFront> {
    const front = new TlsFront(behind, tls);
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    cleanup.add(async () => {
      front.#server.close();
      front.cut();
    });
    return front;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get #port(): number {
    const address = this.#server.address() as AddressInfo;
    return address.port;
  }

  /** Shows, demands and trusts these from now on, at the same port, and closes all connections. */
  use(tls: SecureContextOptions): void {
    const port = this.#port;
    this.#server.close();
    this.cut();
    this.#server = this.#serverOf(tls).listen(port, '127.0.0.1');
  }

  /** Closes all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serverOf(tls: SecureContextOptions): Server {
    const options = { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: true };
    const server = createServer(options, socket => {
      const inner = connect(this.#behind, '127.0.0.1');
      const end = () => {
        socket.destroy();
        inner.destroy();
      };
      for (const side of [socket, inner]) side.on('error', end).on('close', end);
      socket.pipe(inner).pipe(socket);
    });
    server.on('tlsClientError', () => undefined);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    return server;
  }
}
