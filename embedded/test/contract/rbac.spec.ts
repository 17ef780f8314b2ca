import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/index.js';
import type { TokenAlgorithm, TokenSigner } from '../../lib/index.js';
import { FakeClock } from '../support/registry.js';
import { Bindings } from './bindings.js';
import { exchange } from '../support/exchange.js';
import { readFrames } from './frame-recording.js';
import type { RecordedFrame } from './frame-recording.js';
import { FrameReplay } from './frame-replay.js';
import type { Stage } from './frame-replay.js';
import { readRecording } from './recording.js';
import { differences, requestOf } from './replay.js';

const rootPassword = 'Complicated_password1';
const registry = '/v4/default/registry';
const clock = new FakeClock();

const pem = () =>
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs1', format: 'pem' })
    .toString();
const rbac = { rootPassword, privateKey: pem() };

function signerOf(serviceCenter: EmbeddedServiceCenter): TokenSigner {
  if (serviceCenter.rbac === undefined) throw new Error('no RBAC');
  return serviceCenter.rbac;
}

const inSeconds = (seconds: number) => Math.floor(clock.now() / 1000) + seconds;

/** Tokens that were signed outside the recorded server, as its notes describe them. */
function signedOutside(own: TokenSigner, other: TokenSigner): Readonly<Record<string, string>> {
  const root = { account: 'root', roles: ['admin'], exp: inSeconds(3600) };
  const sign = (changes: object, algorithm?: TokenAlgorithm) =>
    own.sign({ ...root, ...changes }, algorithm);
  const [header, , signature] = sign({}).split('.');
  const [, changed] = sign({ exp: inSeconds(7200) }).split('.');
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  return {
    exp_token: sign({ exp: inSeconds(-60) }),
    exp2_token: sign({ exp: inSeconds(-1) }),
    nbf_token: sign({ nbf: inSeconds(600) }),
    noexp_token: sign({ exp: undefined }),
    norole_token: sign({ roles: undefined }),
    emptyrole_token: sign({ roles: [] }),
    noacc_token: sign({ account: undefined }),
    ghost_token: sign({ account: 'ghost' }),
    badrole_token: sign({ roles: ['nosuch'] }),
    none_token: `${none}.${changed}.`,
    rs256_token: sign({}, 'RS256'),
    other_token: other.sign(root),
    expother_token: other.sign({ ...root, exp: inSeconds(-60) }),
    tam_token: `${header}.${changed}.${signature}`,
  };
}

describe('the embedded Service Center with RBAC answers like a real one', () => {
  const serviceCenter = new EmbeddedServiceCenter({ port: 0, clock, rbac });
  const other = new EmbeddedServiceCenter({ port: 0, rbac: { rootPassword, privateKey: pem() } });
  const bindings = new Bindings();

  beforeAll(async () => {
    await serviceCenter.start();
    const tokens = signedOutside(signerOf(serviceCenter), signerOf(other));
    for (const [name, token] of Object.entries(tokens)) bindings.set(name, token);
  });
  afterAll(() => serviceCenter.stop());

  it.each(readRecording('rbac').steps)('$step', async step => {
    // Each token is issued in another second, so that no two are equal.
    clock.advance(1000 * (1 + (step.waitSeconds ?? 0)));
    const answer = await exchange(serviceCenter.url, requestOf(step, bindings));
    expect(differences(step, answer, bindings)).toEqual([]);
  });
});

describe('the embedded Service Center with RBAC sends WebSockets what a real one does', () => {
  let serviceCenter: EmbeddedServiceCenter;
  let replay: FrameReplay | undefined;

  beforeEach(async () => {
    serviceCenter = new EmbeddedServiceCenter({ port: 0, clock, rbac });
    await serviceCenter.start();
  });
  afterEach(async () => {
    replay?.close();
    await serviceCenter.stop();
  });

  const tokenOf = (account: string, roles: readonly string[], lifetime = 3600) =>
    `Bearer ${signerOf(serviceCenter).sign({ account, roles, exp: inSeconds(lifetime) })}`;

  async function asRoot(line: string, body?: unknown): Promise<string> {
    const [method, path = ''] = line.split(' ');
    const headers = { authorization: tokenOf('root', ['admin']) };
    const { status, text } = await exchange(serviceCenter.url, { method, path, headers, body });
    expect(`${status} ${text}`).toMatch(/^200/);
    return text;
  }

  const password = 'Complicated_password2';

  async function setUp() {
    const perms = [{ resources: [{ type: 'service' }], verbs: ['get'] }];
    await asRoot('POST /v4/roles', { name: 'reader', perms });
    for (const [name, role] of [
      ['wdev', 'developer'],
      ['wreader', 'reader'],
    ])
      await asRoot('POST /v4/accounts', { name, password, roles: [role] });
    const service = { serviceId, serviceName: 'rp-19411', version: '1.0.0' };
    await asRoot(`POST ${registry}/microservices`, { service });
    const instance = { instanceId, hostName: 'h1', endpoints: ['rest://127.0.0.1:8080'] };
    await asRoot(`POST ${registry}/microservices/${serviceId}/instances`, { instance });
    const consumer = { serviceId: 'consumer', serviceName: 'consumer' };
    await asRoot(`POST ${registry}/microservices`, { service: consumer });
    const headers = { authorization: tokenOf('root', ['admin']), 'X-ConsumerId': 'consumer' };
    const path = `${registry}/instances?appId=default&serviceName=rp-19411`;
    await exchange(serviceCenter.url, { path, headers });
  }

  const serviceId = '001067ff8d74c045c4a84c50a485336294b28cd0';
  const instanceId = 'b0233f8406b0436fa7dcbf4ee6713265';
  const watcher = `${registry}/microservices/consumer/watcher`;
  const heartbeat = `${registry}/microservices/${serviceId}/instances/${instanceId}/heartbeat`;

  const paths: Readonly<Record<string, string>> = {
    'websocket heartbeat': heartbeat,
    'watcher of an unknown service': watcher.replace('consumer', 'nosuch'),
    'websocket heartbeat of an unknown service': heartbeat.replace(serviceId, 'nosuch'),
    'websocket heartbeat of an unknown instance': heartbeat.replace(instanceId, 'nobody'),
  };

  /** Returns the credentials of a recorded scenario. */
  function stageOf(scenario: string): Stage {
    const authorizations: readonly (readonly [words: string, authorization: string])[] = [
      ['garbage token', 'Bearer abc'],
      ['expired token', tokenOf('root', ['admin'], -60)],
      ['root', tokenOf('root', ['admin'])],
      ['developer', tokenOf('wdev', ['developer'])],
      ['after its account was deleted', tokenOf('wdev', ['developer'])],
      ['reader role', tokenOf('wreader', ['reader'])],
    ];
    const authorization = authorizations.find(([words]) => scenario.includes(words))?.[1];
    const [kind = ''] = scenario.split(',');
    const path = paths[kind] ?? watcher;
    const token = tokenOf('root', ['admin']);
    if (scenario.endsWith('X-Authorization'))
      return { path, headers: { 'X-Authorization': token } };
    if (scenario.endsWith('in the query'))
      return { path: `${path}?Authorization=${encodeURIComponent(token)}` };
    return { path, ...(authorization === undefined ? {} : { headers: { authorization } }) };
  }

  it.each(readFrames('watch-rbac'))('$scenario', async ({ scenario, frames }) => {
    await setUp();
    const stage = stageOf(scenario);
    const authorization = tokenOf('root', ['admin']);
    const before = { status: () => refusedOnceDeleted(stage.headers ?? {}) };
    replay = new FrameReplay(serviceCenter, clock, { ...stage, authorization, before });
    expect(await replay.differences(withCause(frames))).toEqual([]);
  });

  /** The recording contains only the event, not its cause. */
  function withCause(frames: readonly RecordedFrame[]): readonly RecordedFrame[] {
    return frames.flatMap((frame): RecordedFrame[] => {
      if (frame.direction !== 'received' || frame.payload.json === undefined) return [frame];
      const path = heartbeat.replace('heartbeat', 'status?value=DOWN');
      const payload = { method: 'PUT', path, status: 200 };
      return [{ t_ms: frame.t_ms, direction: 'http', type: 'status', payload }, frame];
    });
  }

  async function refusedOnceDeleted(headers: Readonly<Record<string, string>>): Promise<void> {
    await asRoot('DELETE /v4/accounts/wdev');
    const path = `${registry}/instances?appId=default&serviceName=rp-19411`;
    const { text } = await exchange(serviceCenter.url, { path, headers });
    expect(JSON.parse(text)).toEqual({
      errorCode: '401206',
      errorMessage: 'The account that owns the token is deleted',
      detail: 'account [wdev] is deleted',
    });
  }
});
