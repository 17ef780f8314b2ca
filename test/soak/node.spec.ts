import { afterEach, describe, expect, it } from '@jest/globals';
import { Cleanup, startRegistry } from '../support/test-app.js';
import { Keys, type Mood, Node } from './node.js';
import { password } from './process.js';

const authorized = (token: string) => ({ authorization: `Bearer ${token}` });

describe('keys that rotate', () => {
  it.each([
    [0, [true, false, false]],
    [1, [true, true, false]],
    [2, [true, true, true]],
  ])('refuse what was issued before, and %i of the next tokens', (more, refused) => {
    const keys = new Keys();
    keys.issue('old');
    expect(keys.refuses(authorized('old'))).toBe(false);
    keys.rotate(more);
    for (const token of ['first', 'second', 'second']) keys.issue(token);
    expect(['old', 'first', 'second'].map(token => keys.refuses(authorized(token)))).toEqual(
      refused,
    );
  });
});

describe('a node', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  /** Registers a service at a node that is well, and asks again when its mood has changed. */
  async function askIn(mood: Mood, path: string, method = 'GET') {
    const registry = await startRegistry(cleanup, { rbac: { rootPassword: password } });
    const stranger = await startRegistry(cleanup);
    const lines: string[] = [];
    const node = await Node.start(cleanup, {
      registry: registry.url,
      stranger: stranger.url,
      keys: new Keys(),
      onRequest: (line, isHeartbeat) => lines.push(isHeartbeat ? `heartbeat ${line}` : line),
    });
    const base = `${node.url}/v4/default/registry`;
    const login = JSON.stringify({ name: 'root', password });
    const issued = await fetch(`${node.url}/v4/token`, { method: 'POST', body: login });
    const { token }: { token?: unknown } = Object(await issued.json());
    const headers = { Authorization: `Bearer ${String(token)}` };
    const ask = (path: string, method: string, body: string | null = null) =>
      fetch(base + path, { method, headers, body });
    const service = JSON.stringify({ service: { serviceId: 'orders', serviceName: 'orders' } });
    const instance = JSON.stringify({ instance: { instanceId: 'own', hostName: 'h' } });
    await ask('/microservices', 'POST', service);
    await ask('/microservices/orders/instances', 'POST', instance);
    node.mood = mood;
    const answer = await ask(path, method);
    const text = await answer.text();
    return { status: answer.status, text, line: lines.at(-1) ?? '' };
  }

  const own = '/microservices/orders/instances/own';

  it.each([
    ['well', 200, /"own"/],
    ['refuses-parameters', 400, /"400001"/],
    ['wants-token', 401, /"401204"/],
    ['knows-no-path', 404, /^404 page not found/],
    ['knows-no-instance', 400, /"400017"/],
    ['knows-no-service', 400, /"400012"/],
    ['own-store', 400, /does not exist/],
    ['page-403', 403, /<html>/],
    ['page-200', 200, /<html>/],
    ['odd-header', 200, /"own"/],
    ['empty-204', 200, /"own"/],
  ] as const)('that is %s answers %i', async (mood, status, text) => {
    expect(await askIn(mood, own)).toMatchObject({
      status,
      text: expect.stringMatching(text),
    });
  });

  it('that answers 204 has passed the heartbeat on, and says that it was one', async () => {
    const { status, line } = await askIn('empty-204', `${own}/heartbeat`, 'PUT');
    expect(status).toBe(204);
    expect(line).toMatch(/^heartbeat PUT .* → passed on \(empty-204\)$/);
  });
});
