import type { Readable } from 'node:stream';

/**
 * Reads the text of an answer. Its pieces are put together as they come: a list of them would take 400 MB
 * for a mebibyte in pieces of a byte each.
 *
 * @throws Error of code `ERR_ANSWER_TOO_LONG`; of code `ERR_BAD_RESPONSE`, with its cause, where the answer
 * breaks off or cannot be decompressed
 */
export async function bodyOf(answer: Readable, maxBytes: number): Promise<string> {
  let bytes = Buffer.alloc(0);
  let length = 0;
  try {
    for await (const piece of answer) {
      if (!(piece instanceof Uint8Array)) throw new TypeError('An answer is bytes');
      if (length + piece.length > maxBytes) throw tooLong();
      bytes = withRoomFor(bytes, length, piece.length);
      bytes.set(piece, length);
      length += piece.length;
    }
  } catch (cause) {
    throw isTooLong(cause) ? tooLong() : broken(cause);
  }
  // Without a byte order mark; what is no UTF-8 becomes U+FFFD.
  return new TextDecoder().decode(bytes.subarray(0, length));
}

function withRoomFor(bytes: Buffer<ArrayBuffer>, length: number, more: number) {
  if (length + more <= bytes.length) return bytes;
  const larger = Buffer.alloc(Math.max(length + more, 2 * bytes.length));
  larger.set(bytes);
  return larger;
}

function tooLong(): Error {
  return Object.assign(new Error('The answer is too long'), { code: 'ERR_ANSWER_TOO_LONG' });
}

function broken(cause: unknown): Error {
  const error = new Error('The answer broke off', { cause });
  return Object.assign(error, { code: 'ERR_BAD_RESPONSE' });
}

/** Some versions of axios count as well, and say so in their own words. */
function isTooLong(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ERR_ANSWER_TOO_LONG' || code === 'ERR_BAD_RESPONSE';
}
