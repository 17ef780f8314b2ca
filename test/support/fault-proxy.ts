import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Which way bytes go, seen from the client: `to` the server, or `from` it. */
export type Direction = 'to' | 'from';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Reset by the next byte of the client. */
  isStale: boolean;
}

/**
 * A TCP proxy before a server, and all that can go wrong in between. It counts and holds bytes, and
 * knows nothing of HTTP. What holds bytes back lets them go, in their order, when it ends.
 */
export class FaultProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #held = new Set<Direction>();
  readonly #waiting = new Set<() => void>();
  #trickle: { readonly bytes: number; readonly ms: number } | undefined;
  #port = 0;

  /** @param target URL of the server, `http://127.0.0.1:30100` */
  constructor(private readonly target: string) {
    this.#server = createServer({ allowHalfOpen: true }, client => this.#accept(client));
  }

  /** Address to give to clients. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** How many connections of clients are open. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Listens, on the port it had before if it had one. Resolves with itself. */
  async start(): Promise<this> {
    if (this.#server.listening) return this;
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address() as AddressInfo;
    this.#port = address.port;
    return this;
  }

  /** Refuses connections and closes those that are open, until it is started again. */
  async refuse(): Promise<void> {
    const isClosed = this.#server.listening ? once(this.#server, 'close') : Promise.resolve();
    this.#server.close();
    this.reset();
    await isClosed;
  }

  /** Accepts connections and takes bytes, and passes nothing on in either direction. */
  suspend(): void {
    this.pause('to');
    this.pause('from');
  }

  /** Holds back what goes in one direction. */
  pause(direction: Direction): void {
    this.#held.add(direction);
  }

  /** Lets go of all that is held back, and passes bytes on as they come. */
  resume(): void {
    this.#trickle = undefined;
    this.#held.clear();
    for (const letGo of this.#waiting) letGo();
    this.#waiting.clear();
  }

  /** Passes on so many bytes from the server at a time, with so many milliseconds in between. */
  trickle(bytes: number, ms: number): void {
    this.#trickle = { bytes, ms };
  }

  /** Breaks all open connections: the client sees ECONNRESET. */
  reset(): void {
    for (const pair of this.#pairs) breakUp(pair);
  }

  /**
   * Breaks each connection that is open now with the next byte that its client sends: what a client
   * meets that reuses a connection at the moment in which the server closes it.
   */
  expireConnections(): void {
    for (const pair of this.#pairs) pair.isStale = true;
  }

  #accept(client: Socket): void {
    const { hostname, port } = new URL(this.target);
    const server = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    const pair: Pair = { client, server, isStale: false };
    this.#pairs.add(pair);
    client.unref();
    server.unref();
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end);
    // What the server has said may still be on its way when it closes.
    client.on('close', end);
    this.#pipe(pair, 'to');
    this.#pipe(pair, 'from');
  }

  /** Takes one chunk at a time: the next is read when this one has been passed on. */
  #pipe(pair: Pair, direction: Direction): void {
    const { client, server } = pair;
    const [source, sink] = direction === 'to' ? [client, server] : [server, client];
    let passed = Promise.resolve();
    source.on('data', (chunk: Buffer) => {
      source.pause();
      passed = this.#pass(pair, direction, chunk).then(() => {
        source.resume();
      });
    });
    source.on('end', () => void passed.then(() => sink.end()));
  }

  async #pass(pair: Pair, direction: Direction, chunk: Buffer) {
    const { client, server, isStale } = pair;
    if (isStale && direction === 'to') {
      breakUp(pair);
      return;
    }
    await this.#letThrough(direction);
    if (direction === 'from') await this.#trickled(chunk, client);
    else server.write(chunk);
  }

  async #trickled(chunk: Buffer, sink: Socket): Promise<void> {
    for (let rest = chunk; rest.length > 0 && !sink.destroyed;) {
      const { bytes, ms } = this.#trickle ?? { bytes: rest.length, ms: 0 };
      sink.write(rest.subarray(0, bytes));
      rest = rest.subarray(bytes);
      if (ms > 0) await wait(ms, undefined, { ref: false });
    }
  }

  /** Resolves once nothing is held back in that direction. */
  async #letThrough(direction: Direction): Promise<void> {
    while (this.#held.has(direction))
      await new Promise<void>(resolve => {
        this.#waiting.add(resolve);
      });
  }
}

/** Node 20 never ends a process in which a connection was reset after it was ended on our side. */
function breakUp({ client, server }: Pair): void {
  if (client.writableEnded) client.destroy();
  else client.resetAndDestroy();
  server.destroy();
}
