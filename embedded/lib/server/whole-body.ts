import type { IncomingMessage } from 'node:http';

/**
 * Calls back once a request has arrived in full, however long it is; one byte more than anybody takes
 * is enough to refuse it by, so that what lies far beyond `maxBytes` is not kept.
 */
export function onceWhole(
  incoming: IncomingMessage,
  maxBytes: number,
  act: (body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  incoming.on('data', (chunk: Buffer) => {
    if (length <= maxBytes) chunks.push(chunk);
    length += chunk.length;
  });
  incoming.on('end', () => act(Buffer.concat(chunks)));
}
