import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { bodyOf } from '../../../lib/nest/answer-body.js';

function answer(...pieces: readonly (string | Uint8Array)[]): Readable {
  return Readable.from(pieces.map(piece => Buffer.from(piece)));
}

describe('the body of an answer', () => {
  it('is its text, however it was cut into pieces, without a byte order mark', async () => {
    const bytes = Buffer.from('\uFEFF{"city":"Zürich 😀"}');
    const pieces = Array.from(bytes, byte => Uint8Array.of(byte));
    expect(await bodyOf(answer(...pieces), 100)).toBe('{"city":"Zürich 😀"}');
    expect(await bodyOf(answer(), 100)).toBe('');
  });

  it('may be as long as it may be, and no byte longer, also where axios does not count', async () => {
    expect(await bodyOf(answer('abc', 'de'), 5)).toBe('abcde');
    const endless = answer('abc', 'def', 'ghi');
    await expect(bodyOf(endless, 5)).rejects.toMatchObject({ code: 'ERR_ANSWER_TOO_LONG' });
    expect(endless.destroyed).toBe(true);
  });

  it('that breaks off is a bad answer, with the cause', async () => {
    const cause = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    const broken = new Readable({ read: () => broken.destroy(cause) });
    await expect(bodyOf(broken, 5)).rejects.toMatchObject({ code: 'ERR_BAD_RESPONSE', cause });
  });
});
