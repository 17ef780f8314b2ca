import type { Random } from './random.js';

/** Returns bytes for an open WebSocket: frames of a client, possibly broken. */
export function frames(random: Random): Buffer {
  if (random.percent(5)) return random.bytes(random.below(50));
  return frame(random);
}

function frame(random: Random): Buffer {
  const opcode = random.percent(80) ? random.pick([1, 2, 8, 9, 10, 0]) : random.below(16);
  const flags = random.percent(90) ? 0x80 : random.pick([0, 0x40, 0xf0]);
  const payload = random.bytes(random.pick([0, 1, 2, 5, 64, 65, 125, 126, 300]));
  const length = random.percent(95) ? payload.length : random.pick([70_000, 2 ** 31, 2 ** 47]);
  const isMasked = random.percent(95);
  return Buffer.concat([
    Buffer.from([flags | opcode]),
    lengthBytes(length, isMasked ? 0x80 : 0),
    isMasked ? Buffer.alloc(4) : Buffer.alloc(0),
    payload,
  ]);
}

function lengthBytes(length: number, mask: number): Buffer {
  if (length < 126) return Buffer.from([mask | length]);
  const bytes = Buffer.alloc(length < 65_536 ? 3 : 9);
  bytes[0] = mask | (length < 65_536 ? 126 : 127);
  bytes.writeUIntBE(length, length < 65_536 ? 1 : 3, length < 65_536 ? 2 : 6);
  return bytes;
}

/** @throws Error unless the bytes are complete frames that a server may send */
export function checkServerFrames(received: Buffer): void {
  for (let at = 0; at < received.length;) {
    const head = received[at] ?? 0;
    const short = received[at + 1] ?? 0;
    if ((head & 0x70) !== 0 || ![1, 2, 8, 9, 10].includes(head & 0x0f) || short > 126)
      throw new Error(`no frame of a server: ${received.subarray(at).toString('hex')}`);
    const length = short === 126 ? received.readUInt16BE(at + 2) : short;
    at += (short === 126 ? 4 : 2) + length;
    if (at > received.length) throw new Error('the server closed in the middle of a frame');
  }
}
