import { createServer as createHttps } from 'node:https';
import type { Server, ServerOptions } from 'node:https';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import type { Server as TcpServer, Socket } from 'node:net';
import type { SecureVersion } from 'node:tls';

/** TLS options of an embedded Service Center. */
export interface TlsOptions {
  /** Certificate of the server in PEM, followed by those of its issuers. */
  readonly cert: string | Buffer;
  /** Private key of the certificate in PEM, not encrypted. */
  readonly key: string | Buffer;
  /** Certificates of the CAs of client certificates, in PEM. */
  readonly ca?: string | Buffer | undefined;
  /**
   * Accepts only clients with a certificate that `ca` has issued.
   *
   * @default true if there is a `ca`
   */
  readonly requireClientCertificate?: boolean | undefined;
  /**
   * Lowest version of TLS.
   *
   * @default 'TLSv1.2'
   */
  readonly minVersion?: SecureVersion | undefined;
}

/**
 * The cipher suites of a real server: all of TLS 1.3, and four of TLS 1.2, which need RSA
 * (etc/conf/app.yaml).
 */
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
 * Creates a server for HTTP/1.1 over TLS. Its connections come from {@link withPlainHttpAnswer}.
 *
 * @throws Error that names the option if a certificate or key cannot be read
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
    throw new Error(
      'tls.cert, tls.key or tls.ca cannot be read: they must be PEM and belong together',
      {
        cause,
      },
    );
  }
}

/**
 * Milliseconds until a connection without a first byte is closed; the same as for a head of HTTP.
 */
const silenceMs = 60_000;

/** The beginnings by which Go recognizes plain HTTP (crypto/tls/conn.go). */
const plainHttp = /^(GET \/|HEAD |POST |PUT \/|OPTIO)/;

const plainHttpAnswer =
  'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

const tcpSockets = new WeakMap<Socket, Socket>();

/**
 * Returns a server for the port of a TLS server, which answers plain HTTP in plain text as Go does.
 */
export function withPlainHttpAnswer(server: Server): TcpServer {
  const tcpByPeer = new Map<string, Socket>();
  server.on('secureConnection', (secure: Socket) => {
    const tcp = tcpByPeer.get(peerOf(secure));
    if (tcp !== undefined) tcpSockets.set(secure, tcp);
  });
  const port = createServer(tcp => {
    const peer = peerOf(tcp);
    tcpByPeer.set(peer, tcp);
    tcp.once('close', () => tcpByPeer.delete(peer));
    handleFirstBytes(tcp, server);
  });
  // The TLS server checks for slow requests from its 'listening' event on.
  return port.on('listening', () => server.emit('listening')).on('close', () => server.close());
}

function handleFirstBytes(tcp: Socket, server: Server): void {
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

/** Returns the TCP connection below a TLS socket; the socket itself without TLS. */
export function tcpSocketOf(socket: Socket): Socket {
  return tcpSockets.get(socket) ?? socket;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
