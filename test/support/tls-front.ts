import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server } from 'node:tls';
import type { Cleanup } from './test-app.js';

/** TLS before a server of plain HTTP: its certificate, and whom it trusts, change as a test says. */
export class TlsFront {
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** With a `ca` it demands a certificate of each client. */
  static async start(
    cleanup: Cleanup,
    behind: string,
    tls: SecureContextOptions,
  ): Promise<TlsFront> {
    const { port } = new URL(behind);
    const options = { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: true };
    const server = createServer(options, socket => {
      const inner = connect(Number(port), '127.0.0.1');
      const end = () => {
        socket.destroy();
        inner.destroy();
      };
      for (const side of [socket, inner]) side.on('error', end).on('close', end);
      socket.pipe(inner).pipe(socket);
    });
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address() as AddressInfo;
    const front = new TlsFront(server, `https://127.0.0.1:${address.port}`);
    cleanup.add(async () => {
      server.close();
      front.cut();
    });
    return front;
  }

  /** Shows and trusts these from now on, and closes all connections. */
  use(tls: SecureContextOptions): void {
    this.server.setSecureContext(tls);
    this.cut();
  }

  /** Closes all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
