import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { isServiceCombError, type ServiceCombErrorCode } from '../../lib/errors.js';
import { isRetriable } from '../../lib/protocol/failures.js';
import { HostileServer, pouring, type Reaction, saying } from '../support/hostile-server.js';
import { operations } from '../unit/protocol/operations.js';
import { httpClient } from './registry-under-test.js';

const closings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

async function serverThat(react: Reaction): Promise<{ address: string; server: HostileServer }> {
  const server = new HostileServer(react);
  const address = await server.start();
  closings.push(() => server.stop());
  return { address, server };
}

/** What a busy machine may add to a deadline. */
const slackMs = 3_000;

/** What keeps the lease, makes it, and reads lists. */
const asked = new Set(['sendHeartbeat', 'registerInstance', 'findInstances']);
const those = operations.filter(({ name }) => asked.has(name));

/** Asks for these one after the other, and answers what came of them. */
async function askAll(address: string, timeoutMs: number): Promise<readonly unknown[]> {
  const client = httpClient(address, { timeoutMs });
  const outcomes: unknown[] = [];
  for (const { ask } of those) outcomes.push(await ask(client).catch((error: unknown) => error));
  return outcomes;
}

const ok = 'HTTP/1.1 200 OK\n';
const chunked = `${ok}Transfer-Encoding: chunked\n\n`;
const blank = Buffer.alloc(8 * 1_048_576, ' ');

const emptyMembers = Buffer.concat(Array.from({ length: 1_000 }, () => gzipSync('')));

function encoded(encoding: string, body: Buffer): Reaction {
  return saying(`${ok}Content-Encoding: ${encoding}\nContent-Length: ${body.length}\n\n`, body);
}

type Case = readonly [name: string, react: Reaction];

const foreign: readonly Case[] = [
  ['a header without end', pouring(`${ok}X: `, 'x'.repeat(65_536))],
  ['headers without end', pouring(ok, 'X-Y: z\r\n'.repeat(8_192))],
  ['a status line without end', pouring('HTTP/1.1 200 ', 'O'.repeat(65_536))],
  ['a body without length and end', pouring(`${ok}\n`, ' '.repeat(65_536))],
  ['a body of a terabyte', pouring(`${ok}Content-Length: 1000000000000\n\n`, ' '.repeat(65_536))],
  ['a length that is no number', saying(`${ok}Content-Length: 1e3\n\n`)],
  ['a length below zero', saying(`${ok}Content-Length: -1\n\n`)],
  ['a length beyond all numbers', saying(`${ok}Content-Length: 9${'0'.repeat(30)}\n\n`)],
  ['two lengths', saying(`${ok}Content-Length: 2\nContent-Length: 3\n\n`, '{} ')],
  [
    'a length and chunks',
    saying(`${ok}Content-Length: 2\nTransfer-Encoding: chunked\n\n`, '0\r\n'),
  ],
  ['chunks without end', pouring(chunked, `10000\r\n${' '.repeat(65_536)}\r\n`)],
  ['a chunk extension without end', pouring(`${chunked}1;`, 'a=b;'.repeat(16_384))],
  ['trailers without end', pouring(`${chunked}0\n`, 'X-Y: z\r\n'.repeat(8_192))],
  [
    'a byte more than a mebibyte',
    saying(`${ok}Content-Length: 1048577\n\n`, ' '.repeat(1_048_577)),
  ],
  ['8 MiB in gzip', encoded('gzip', gzipSync(blank))],
  ['8 MiB in deflate', encoded('deflate', deflateSync(blank))],
  ['8 MiB in raw deflate', encoded('deflate', deflateRawSync(blank))],
  ['8 MiB in brotli', encoded('br', brotliCompressSync(blank))],
  ['gzip within gzip', encoded('gzip, gzip', gzipSync(gzipSync(blank)))],
  ['what is no gzip', encoded('gzip', Buffer.from('no gzip'))],
  ['what is no deflate', encoded('deflate', Buffer.from('no deflate'))],
  ['what is no brotli', encoded('br', Buffer.from('no brotli at all'))],
  ['garbage behind gzip', encoded('gzip', Buffer.concat([gzipSync('{}'), Buffer.from('garbage')]))],
  ['garbage behind an answer', saying(`${ok}Content-Length: 2\n\n`, '[]garbage')],
  ['no header at all', saying('{"serviceId":"s"}')],
  ['HTTP/2', saying('PRI * HTTP/2.0\n\nSM\n\n')],
  ['a version of HTTP that there is not', saying('HTTP/3.7 200 OK\nContent-Length: 0\n\n')],
  ['an alert of TLS', saying('', Buffer.from([0x15, 3, 1, 0, 2, 2, 80]))],
  ['line feeds alone', saying('', 'HTTP/1.1 200 OK\nContent-Length: 2\n\n{}')],
  ['a NUL in a header', saying(`${ok}X: a\0b\n\n`)],
  ['a carriage return in a header', saying(`${ok}X: a\rb\n\n`)],
  ['a header without a colon', saying(`${ok}foo\n\n`)],
  ['a status of two digits', saying('HTTP/1.1 99 OK\nContent-Length: 0\n\n')],
  ['a status of four digits', saying('HTTP/1.1 1000 OK\nContent-Length: 0\n\n')],
  ['half a body', socket => socket.end(`${ok}Content-Length: 100\n\n{}`.replaceAll('\n', '\r\n'))],
  ...[300, 301, 302, 303, 305, 307, 308].map((status): Case => {
    const location = 'Location: http://127.0.0.1:9/v4/token';
    return [
      `a redirect ${status}`,
      saying(`HTTP/1.1 ${status} M\n${location}\nContent-Length: 0\n\n`),
    ];
  }),
];

const silent: readonly Case[] = [
  ['100 Continue without end', pouring('', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000))],
  ['102 Processing without end', pouring('', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1_000))],
  ['103 Early Hints without end', pouring('', 'HTTP/1.1 103 E\r\nLink: <a>\r\n\r\n'.repeat(1_000))],
  ['another protocol', saying('HTTP/1.1 101 S\nUpgrade: x\nConnection: Upgrade\n\n', 'xxxx')],
  ['digits of a chunk size without end', pouring(chunked, '0'.repeat(65_536))],
  ['extensions of one chunk after the other', pouring(chunked, `1;${'a'.repeat(15_000)}\r\n \r\n`)],
  ['empty gzip members without end', pouring(`${ok}Content-Encoding: gzip\n\n`, emptyMembers)],
];

async function expectAll(react: Reaction, code: ServiceCombErrorCode, timeoutMs: number) {
  const { address, server } = await serverThat(react);
  const began = performance.now();
  const errors = await askAll(address, timeoutMs);
  expect(performance.now() - began).toBeLessThan(those.length * timeoutMs + slackMs);
  for (const error of errors) {
    expect(error).toMatchObject({ code });
    expect(isServiceCombError(error) && isRetriable(error)).toBe(true);
  }
  expect(server.requests).toBe(those.length);
}

describe('whatever is asked, an answer that', () => {
  it.each(foreign)('is %s, is none', (_, react) =>
    expectAll(react, 'ERR_SERVICECOMB_PROTOCOL', 2_000),
  );

  it.each(silent)('is %s, ends with the deadline', (_, react) =>
    expectAll(react, 'ERR_SERVICECOMB_TIMEOUT', 100),
  );

  it('has headers with the names of methods, is read like any other', async () => {
    const names =
      'normalize get set has delete clear concat toJSON constructor __proto__ then length';
    const lines = names.split(' ').map(name => `${name}: a\n${name}: b\n`);
    const { address } = await serverThat(saying(`${ok}${lines.join('')}Content-Length: 0\n\n`));
    const heartbeat = httpClient(address).sendHeartbeat({ serviceId: 's', instanceId: 'i' });
    expect(await heartbeat).toBeUndefined();
  });
});
