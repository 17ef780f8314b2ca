import { createServer as createHttps } from 'node:https';
import type { Server, ServerOptions } from 'node:https';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import type { Server as TcpServer, Socket } from 'node:net';
import type { SecureVersion } from 'node:tls';

/** How an embedded Service Center is reached over TLS. */
export interface TlsOptions {
  /** Certificate of the server in PEM, with those of its issuers behind it. */
  readonly cert: string | Buffer;
  /** Private key of the certificate in PEM, not encrypted. */
  readonly key: string | Buffer;
  /** Certificates in PEM of who may vouch for clients. */
  readonly ca?: string | Buffer | undefined;
  /**
   * Lets only those in who show a certificate that `ca` vouches for.
   *
   * @default true when there is a `ca`
   */
  readonly requireClientCertificate?: boolean | undefined;
  /** @default 'TLSv1.2' */
  readonly minVersion?: SecureVersion | undefined;
}

/** The suites of a real server: all of TLS 1.3, and four of 1.2, which want RSA (etc/conf/app.yaml). */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
].join(':');

/**
 * A server of HTTP/1.1 over TLS; what it serves comes through a {@link withPlainHttpAnswer port}.
 *
 * @throws Error that names the option when a certificate or a key cannot be read
 */
export function createSecureServer(
  {
    cert,
    key,
    ca,
    requireClientCertificate = ca !== undefined,
    minVersion = 'TLSv1.2',
  }: TlsOptions,
  settings: ServerOptions,
  listener: RequestListener,
): Server {
  if (requireClientCertificate && ca === undefined)
    throw new Error('tls.requireClientCertificate needs tls.ca, by which certificates are checked');
  const secrets = { cert, key, ca, minVersion, ciphers, requestCert: requireClientCertificate };
  try {
    return createHttps({ ...settings, ...secrets, rejectUnauthorized: true }, listener);
  } catch (cause) {
    throw new Error('tls.cert, tls.key or tls.ca cannot be read: they must be PEM, and fit', {
      cause,
    });
  }
}

/** How long a connection may be silent before its first byte; as long as for a head of HTTP. */
const silenceMs = 60_000;

/** How a request of plain HTTP begins, by the words that Go knows it by (crypto/tls/conn.go). */
const plainHttp = /^(GET \/|HEAD |POST |PUT \/|OPTIO)/;

const plainHttpAnswer =
  'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

const tcpSockets = new WeakMap<Socket, Socket>();

/** The port of a secure server, which answers plain HTTP in plain words as Go does. */
export function withPlainHttpAnswer(server: Server): TcpServer {
  const open = new Map<string, Socket>();
  server.on('secureConnection', (secure: Socket) => {
    const tcp = open.get(peerOf(secure));
    if (tcp !== undefined) tcpSockets.set(secure, tcp);
  });
  const port = createServer(tcp => {
    const peer = peerOf(tcp);
    open.set(peer, tcp);
    tcp.once('close', () => open.delete(peer));
    admit(tcp, server);
  });
  // The secure server looks after slow requests from the moment it is told that it listens.
  return port.on('listening', () => server.emit('listening')).on('close', () => server.close());
}

function admit(tcp: Socket, server: Server): void {
  const fail = () => tcp.destroy();
  tcp.on('error', fail).setTimeout(silenceMs, fail);
  tcp.once('data', (first: Buffer) => {
    if (plainHttp.test(first.toString('latin1'))) {
      tcp.end(plainHttpAnswer);
      return;
    }
    tcp.setTimeout(0).off('timeout', fail).pause().unshift(first);
    server.emit('connection', tcp);
  });
}

/** The connection of TCP that a socket is on; the socket itself when nothing lies between. */
export function tcpSocketOf(socket: Socket): Socket {
  return tcpSockets.get(socket) ?? socket;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
