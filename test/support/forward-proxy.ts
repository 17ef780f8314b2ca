import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

/** A proxy that runs, and what it was asked for. */
export interface ForwardProxy {
  readonly asked: readonly IncomingMessage[];
  /** `127.0.0.1:3128` */
  readonly host: string;
  /** How many connections it was given. */
  readonly connections: number;
  /** Ends all tunnels. */
  cut(): void;
  close(): void;
}

/** What a proxy does. */
export interface ForwardProxyBehaviour {
  /** Answer to CONNECT. @default 200 */
  readonly status?: number;
  /** Port on this machine that a host and port are reached at. @default the port itself */
  readonly portOf?: (target: string) => number;
}

/** Starts a proxy: CONNECT leads to this machine, any other request is answered with no services. */
export async function startForwardProxy({
  status = 200,
  portOf = target => Number(target.split(':').at(-1)),
}: ForwardProxyBehaviour = {}): Promise<ForwardProxy> {
  const asked: IncomingMessage[] = [];
  const tunnels = new Set<Duplex>();
  const cut = () => {
    for (const side of tunnels) side.destroy();
  };
  let connections = 0;
  const server = createServer((request, response) => {
    asked.push(request);
    response.end('{"services":[]}');
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.on('connect', (request: IncomingMessage, socket) => {
    asked.push(request);
    if (status >= 300) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const inner = connect(portOf(request.url ?? ''), '127.0.0.1', () =>
      socket.write(`HTTP/1.1 ${status} Yes\r\n\r\n`),
    );
    for (const [side, other] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      tunnels.add(side);
      side.on('error', () => undefined).on('close', () => other.destroy());
    }
    inner.pipe(socket).pipe(inner);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    host: `127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    cut,
    close: () => {
      cut();
      server.closeAllConnections();
      server.close();
    },
  };
}
