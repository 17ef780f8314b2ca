import type { IncomingMessage } from 'node:http';

/**
 * The beginning of a request, with its body as far as it came, that no longer asks for an upgrade:
 * the server answers it as if it had not (Go's net/http leaves it to the handler, and none but the
 * WebSocket routes looks). Java's HTTP client asks for `h2c` with each first request.
 */
export function withoutUpgrade(incoming: IncomingMessage, body: Buffer): Buffer {
  const { method = 'GET', url = '/', httpVersion, rawHeaders } = incoming;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() !== 'upgrade')
      lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
