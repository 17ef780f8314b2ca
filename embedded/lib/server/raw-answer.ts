import { STATUS_CODES } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from '../api/answer.js';
import { encoded } from './compression.js';

/** An answer as it stands on the wire, for who writes it itself: the last one of its connection. */
export function rawAnswer(answer: Answer, request: IncomingHttpHeaders): Buffer {
  const { headers, body } = encoded(answer, request);
  return rawBytes(answer.status, { Date: new Date().toUTCString(), ...headers }, Buffer.from(body));
}

/** The bytes of a status, headers and a body; a length and `Connection: close` are added. */
export function rawBytes(
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: Uint8Array,
): Buffer {
  const all = { ...headers, 'Content-Length': body.length, Connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${String(value)}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), body]);
}
