import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

/** A request of a test; `body` is sent as JSON unless it is text. */
export interface TestRequest {
  readonly method?: string | undefined;
  /** Sent as it is. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
}

/** A received answer. */
export interface TestAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request on a connection of its own. Rejects if the connection ends without an answer. */
export function exchange(url: string, asked: TestRequest): Promise<TestAnswer> {
  const { method = 'GET', path, headers = {}, body } = asked;
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: hostname.replace(/[[\]]/g, ''),
      port,
      method,
      path,
      headers,
      agent: false,
    });
    outgoing.on('error', reject);
    outgoing.on('response', response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    outgoing.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
  });
}
