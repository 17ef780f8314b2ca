import { bytes, bytesOf, request } from './requests.js';
import { secret } from './canaries.js';
import { checkServerFrames, frames } from './frames.js';
import { textOf } from './http-answer.js';
import type { HttpAnswer } from './http-answer.js';
import type { Random } from './random.js';
import { RawClient } from './raw-client.js';
import type { RegistryProcess } from './registry-process.js';

/**
 * Sends requests one after the other, so that the same seed produces the same run.
 *
 * @throws Error with the request whose answer is wrong
 */
export async function sendRequests(
  registry: RegistryProcess,
  random: Random,
  count: number,
): Promise<void> {
  let client = await RawClient.open(registry.port);
  for (let sent = 0; sent < count; sent += 1) {
    const drawn = request(random);
    const asked = bytesOf(drawn);
    await blaming(registry, asked, async () => {
      client.send(asked);
      const answer = await client.answer(drawn.method);
      if (answer === undefined) throw new Error('no answer');
      if (drawn.method !== 'HEAD') judge(answer);
      if (answer.status !== 101 && answer.headers.get('connection') !== 'close') return;
      client.close();
      client = await RawClient.open(registry.port);
    });
  }
  client.close();
}

/** Sends bytes that are not a valid request, each on a connection of its own. */
export async function sendBytes(
  registry: RegistryProcess,
  random: Random,
  count: number,
): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    const asked = bytes(random);
    await blaming(registry, asked, async () => {
      const client = await RawClient.open(registry.port);
      client.end(asked);
      let answer = await client.answer();
      if (answer === undefined && !isBlank(asked)) throw new Error('no answer');
      for (; answer !== undefined; answer = await client.answer()) {
        judge(answer);
        if (answer.status === 101) break;
      }
      client.close();
    });
  }
}

/** Empty lines before a request are ignored. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every(byte => byte === 10 || byte === 13);
}

/** Opens WebSockets of both kinds and sends frames, some of them broken. */
export async function sendFrames(
  registry: RegistryProcess,
  random: Random,
  count: number,
): Promise<void> {
  for (let sent = 0; sent < count;) {
    const path = random.pick([
      '/v4/default/registry/microservices/watching/watcher',
      '/v4/default/registry/microservices/nobody/watcher',
      '/v4/default/registry/microservices/watching/instances/beating/heartbeat',
      '/v4/default/registry/microservices/watching/instances/nobody/heartbeat',
    ]);
    const each = [frames(random), ...random.several(30, () => frames(random))];
    await blaming(registry, Buffer.concat(each), () => openAndSend(registry, path, each));
    sent += each.length;
  }
}

async function openAndSend(
  registry: RegistryProcess,
  path: string,
  each: readonly Buffer[],
): Promise<void> {
  const client = await RawClient.open(registry.port);
  const handshake = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket'];
  const keys = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  client.send(
    Buffer.from(`GET ${path} HTTP/1.1\r\n${[...handshake, ...keys].join('\r\n')}\r\n\r\n`),
  );
  const answer = await client.answer();
  if (answer?.status !== 101) throw new Error(`a handshake was answered ${answer?.status}`);
  for (const frame of each) client.send(frame);
  client.end(Buffer.alloc(0));
  const received = await client.everything();
  if (received.includes(secret)) throw new Error('a frame tells of another namespace');
  checkServerFrames(received);
}

/** @throws Error for an answer that must never occur */
function judge(answer: HttpAnswer): void {
  const text = textOf(answer);
  if (answer.status >= 500) throw new Error(`answered ${answer.status} ${text}`);
  // The dump contains all namespaces, as on a real server; only default/default can request it.
  if (text.includes(secret) && !isDump(text))
    throw new Error(`an answer tells of another namespace: ${text}`);
  if (answer.status < 400 || !answer.headers.get('content-type')?.startsWith('application/json'))
    return;
  const error = JSON.parse(text) as Record<string, unknown>;
  if (typeof error['errorCode'] !== 'string' || typeof error['errorMessage'] !== 'string')
    throw new Error(`no error in the registry's form: ${text}`);
}

function isDump(text: string): boolean {
  return /^(Invalid Request URI \S*)?\{"(cache|info)":/.test(text);
}

/** Adds the request and the last output of the registry to an error. */
async function blaming(
  registry: RegistryProcess,
  sent: Buffer,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (cause) {
    const shown = sent.toString('latin1');
    const after = `${shown.slice(0, 2000)}${shown.length > 2000 ? ` … (${shown.length} bytes)` : ''}`;
    const died = await registry.lastWords();
    throw new Error(`${String(cause)}${died}\nafter these bytes were sent:\n${after}`, { cause });
  }
}
