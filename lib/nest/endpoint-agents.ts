import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { OnApplicationShutdown } from '@nestjs/common';

/**
 * Idle connections are closed after 4 s: Node's server closes its own after 5. Where a server says how long it keeps
 * them, Node closes them a second before that.
 */
const kept = { keepAlive: true, timeout: 4_000 };

/** The connections to the endpoints of providers, kept from one call to the next. */
export class EndpointAgents implements OnApplicationShutdown {
  readonly httpAgent: Agent;
  readonly httpsAgent: SecureAgent;

  /** @param connectTimeoutMs how long a connection, and the handshake of TLS on it, may take */
  constructor(connectTimeoutMs: number) {
    this.httpAgent = new ImpatientAgent(connectTimeoutMs);
    this.httpsAgent = new ImpatientSecureAgent(connectTimeoutMs);
  }

  /** Closes the connections to an endpoint that are not in use. */
  closeIdleTo(host: string, port: number): void {
    // The name of a connection begins so, and goes on with what else distinguishes it (http.Agent.getName).
    const beginning = `${asInUrl(host)}:${port}:`;
    this.#closeIdle(name => name.startsWith(beginning));
  }

  get #agents(): readonly Agent[] {
    return [this.httpAgent, this.httpsAgent];
  }

  /** Closes what is idle, and each other connection when its call has ended. */
  onApplicationShutdown(): void {
    for (const agent of this.#agents) agent.maxFreeSockets = 0;
    this.#closeIdle(() => true);
  }

  #closeIdle(isMeant: (name: string) => boolean): void {
    for (const { freeSockets } of this.#agents)
      for (const [name, sockets = []] of Object.entries(freeSockets))
        if (isMeant(name)) for (const socket of sockets) socket.destroy();
  }
}

/** Returns a host as axios reads it from a URL: a name in lower case, the shortest form of an address. */
function asInUrl(host: string): string {
  const { hostname } = new URL(`http://${host.includes(':') ? `[${host}]` : host}`);
  return hostname.replace(/^\[|\]$/g, '');
}

class ImpatientAgent extends Agent {
  constructor(private readonly connectTimeoutMs: number) {
    super(kept);
  }

  override createConnection(
    ...parts: Parameters<Agent['createConnection']>
  ): Duplex | null | undefined {
    return bounded(super.createConnection(...parts), this.connectTimeoutMs);
  }
}

class ImpatientSecureAgent extends SecureAgent {
  constructor(private readonly connectTimeoutMs: number) {
    super(kept);
  }

  override createConnection(
    ...parts: Parameters<SecureAgent['createConnection']>
  ): Duplex | null | undefined {
    return bounded(super.createConnection(...parts), this.connectTimeoutMs);
  }
}

/**
 * Ends a connection that is not there in time, with the error of Node for that. `socket.setTimeout()` would not do:
 * axios and Node overwrite it.
 */
function bounded(socket: Duplex | null | undefined, timeoutMs: number): typeof socket {
  if (!(socket instanceof Socket)) return socket;
  const deadline = AbortSignal.timeout(timeoutMs);
  const giveUp = () => {
    const words = `connect ETIMEDOUT within ${timeoutMs} ms`;
    socket.destroy(Object.assign(new Error(words), { code: 'ETIMEDOUT', syscall: 'connect' }));
  };
  deadline.addEventListener('abort', giveUp);
  const release = () => deadline.removeEventListener('abort', giveUp);
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', release);
  return socket;
}
