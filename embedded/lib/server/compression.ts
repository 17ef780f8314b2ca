import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Answer } from '../api/answer.js';

/** A shorter body is not worth it (pkg/rest/server.go). */
const minBytes = 1400;

/** An answer as it goes out. */
export interface Encoded {
  readonly headers: OutgoingHttpHeaders;
  /** Text unless it is compressed: Node sends it in one piece with the head, and a Buffer in another. */
  readonly body: string | Buffer;
}

/** Compresses a body that is long enough for who asks for gzip by name, with a weight above 0. */
export function encoded({ headers, body }: Answer, request: IncomingHttpHeaders): Encoded {
  const { Vary, ...rest } = headers;
  // Told of every answer, compressed or not, ahead of what the answer itself varies by.
  const varied = { ...rest, Vary: ['Accept-Encoding', ...(Vary === undefined ? [] : [Vary])] };
  const isEncoded = Object.keys(headers).some(name => /^content-encoding$/i.test(name));
  if (isEncoded || Buffer.byteLength(body) < minBytes || !acceptsGzip(request['accept-encoding']))
    return { headers: varied, body };
  return { headers: { ...varied, 'Content-Encoding': 'gzip' }, body: gzipSync(body) };
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .map(coding =>
      coding
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    )
    .some(([name, ...parameters]) => name === 'gzip' && parameters.every(hasWeight));
}

/** False for `q=0`, in any number of digits. */
function hasWeight(parameter: string): boolean {
  return !/^q=0(\.0*)?$/.test(parameter);
}
