import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  ServiceCenterProtocolError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  ServiceCenterUnreachableError,
} from '../../../lib/errors.js';
import {
  type CredentialHeaders,
  type Credentials,
  type HttpRequest,
  noCredentials,
} from '../../../lib/protocol/channel.js';
import { ServiceCenterClient } from '../../../lib/protocol/service-center.client.js';
import {
  channelOf,
  clientOf,
  failing,
  type FakeAnswer,
  FakeSend,
} from '../../support/fake-send.js';

const ref = { serviceId: 's', instanceId: 'i' };
const path = '/v4/default/registry/microservices/s/instances/i/heartbeat';
const [a, b, c] = ['http://a:1', 'http://b:2', 'http://c:3'] as const;

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** Credentials that remember what was noted of them, and have `n` to give. */
class Noting implements Credentials {
  readonly noted: string[] = [];
  readonly loginError = undefined;
  #given = 0;

  onChange(): () => void {
    return () => undefined;
  }

  stop(): void {
    this.noted.push('stopped');
  }

  headersFor(): Promise<CredentialHeaders> {
    this.#given += 1;
    return Promise.resolve({ Authorization: `Bearer t${this.#given}` });
  }

  markAccepted(_: string, headers: CredentialHeaders): void {
    this.#note('accepted', headers);
  }

  markRefused(_: string, headers: CredentialHeaders): boolean {
    this.#note('refused', headers);
    return true;
  }

  markDenied(_: string, headers: CredentialHeaders): void {
    this.#note('denied', headers);
  }

  #note(what: string, { Authorization }: CredentialHeaders): void {
    this.noted.push(`${what} ${Authorization}`);
  }
}

describe('a request', () => {
  it('has no header that the transport adds to every one', async () => {
    const http = new FakeSend();
    await clientOf(http.send).unregisterInstance(ref);
    expect(http.requests[0]?.headers).toEqual({});
  });

  it('names the domain only when one is set', async () => {
    const http = new FakeSend();
    await clientOf(http.send, { domain: 'acme' }).sendHeartbeat(ref);
    await clientOf(http.send).sendHeartbeat(ref);
    const [withDomain, without] = http.requests;
    expect(withDomain?.headers).toHaveProperty('x-domain-name', 'acme');
    expect(without?.headers).not.toHaveProperty('x-domain-name');
  });

  it('has the deadline of the client unless the caller sets one', async () => {
    const http = new FakeSend();
    const client = clientOf(http.send, { timeoutMs: 700 });
    await client.sendHeartbeat(ref);
    await client.sendHeartbeat(ref, { timeoutMs: 300 });
    expect(http.requests.map(({ timeoutMs }) => timeoutMs)).toEqual([700, 300]);
  });

  it('keeps the path prefix of an address', async () => {
    const http = new FakeSend();
    await clientOf(http.send, { addresses: ['http://gateway/cse'] }).sendHeartbeat(ref);
    expect(http.lines).toEqual([`PUT http://gateway/cse${path}`]);
  });

  it('is the example of the vendor’s page, word by word', async () => {
    const http = new FakeSend({ body: 'Success' });
    const client = clientOf(http.send, { project: 'd9f4da085f2c11e8959a00ff2d7c69b7' });
    await client.sendHeartbeat({
      serviceId: 'e0f0da073f2c91e8979a89ff2d7c69t6',
      instanceId: 'com.huawei.instance.InstanceService',
    });
    const [request] = http.requests;
    expect(`${request?.method} ${request?.url.slice(a.length)}`).toBe(
      'PUT /v4/d9f4da085f2c11e8959a00ff2d7c69b7/registry/microservices/e0f0da073f2c91e8979a89ff2d7c69t6/instances/com.huawei.instance.InstanceService/heartbeat',
    );
    expect(request).toMatchObject({
      body: undefined,
      headers: { 'Content-Type': 'application/json' },
    });
  });

  it('is not sent when an id cannot be one', async () => {
    const http = new FakeSend();
    const client = clientOf(http.send, { addresses: [a, b] });
    await expect(client.sendHeartbeat({ ...ref, instanceId: '..' })).rejects.toThrow(RangeError);
    await expect(client.getMicroservice('')).rejects.toThrow(RangeError);
    await expect(client.getSchema('s', '.')).rejects.toThrow(RangeError);
    expect(http.requests).toEqual([]);
  });
});

describe('fail-over', () => {
  const retriable: [string, FakeAnswer][] = [
    ['refuses the connection', failing('ECONNREFUSED')],
    ['does not answer in time', failing('', 'TimeoutError')],
    ['is busy', { status: 500, body: { errorCode: '500011' } }],
    ['has no backend', { status: 400, body: { errorCode: '400011' } }],
    ['asks for less', { status: 429 }],
    ['is no Service Center', { status: 404, body: 'nginx' }],
    ['answers a success that is none', { body: '<html>' }],
  ];

  it.each(retriable)('asks the next address once when the first %s', async (_, answer) => {
    const http = new FakeSend(answer, {});
    const client = clientOf(http.send, { addresses: [a, b, c] });
    await client.sendHeartbeat(ref);
    expect(http.lines).toEqual([`PUT ${a}${path}`, `PUT ${b}${path}`]);
    expect(client.address).toBe(b);
  });

  it.each(['400017', '400012', '400001', '400100', '401201'])(
    'does not ask another address after errorCode %s',
    async errorCode => {
      const http = new FakeSend({ status: 400, body: { errorCode } });
      const client = clientOf(http.send, { addresses: [a, b] });
      await expect(client.sendHeartbeat(ref)).rejects.toBeInstanceOf(ServiceCenterResponseError);
      expect(http.lines).toHaveLength(1);
      expect(client.address).toBe(a);
    },
  );

  it('stays at the address that answered', async () => {
    const http = new FakeSend(failing('ECONNREFUSED'), {});
    const client = clientOf(http.send, { addresses: [a, b] });
    await client.sendHeartbeat(ref);
    await client.sendHeartbeat(ref);
    expect(http.lines.map(line => line.slice(4, 4 + a.length))).toEqual([a, b, b]);
  });

  it('names both addresses when neither can be reached', async () => {
    const http = new FakeSend(failing('ECONNREFUSED'), failing('ENOTFOUND'));
    const client = clientOf(http.send, { addresses: [a, b, c] });
    const error = await errorOf(client.sendHeartbeat(ref));
    expect(error).toBeInstanceOf(ServiceCenterUnreachableError);
    expect(error).toMatchObject({
      addresses: [a, b],
      reason: 'ENOTFOUND',
      cause: { code: 'ENOTFOUND' },
    });
    expect(client.address).toBe(c);
  });

  it('says what the second address said', async () => {
    const refusal = { status: 400, body: { errorCode: '400017' } };
    const http = new FakeSend(failing('ECONNREFUSED'), refusal);
    const client = clientOf(http.send, { addresses: [a, b] });
    const error = await errorOf(client.sendHeartbeat(ref));
    expect(error).toMatchObject({ errorCode: 400_017, address: b });
    expect(client.address).toBe(b);
  });

  it('ends after two addresses', async () => {
    const http = new FakeSend(failing('', 'TimeoutError'));
    const client = clientOf(http.send, { addresses: [a, b, c] });
    const error = await errorOf(client.sendHeartbeat(ref, { timeoutMs: 250 }));
    expect(error).toBeInstanceOf(ServiceCenterTimeoutError);
    expect(error).toMatchObject({ address: b });
    expect(http.requests).toHaveLength(2);
  });

  it('has nowhere to go with one address', async () => {
    const http = new FakeSend(failing('ECONNREFUSED'));
    const client = clientOf(http.send);
    const error = await errorOf(client.sendHeartbeat(ref));
    expect(error).toMatchObject({ addresses: [a], reason: 'ECONNREFUSED' });
    expect(http.requests).toHaveLength(1);
  });

  it('does not go back to the address that failed when another request has moved on already', async () => {
    const http = new FakeSend(async ({ url }) => {
      await Promise.resolve();
      if (url.startsWith(a)) failing('ECONNREFUSED')();
      return {};
    });
    const client = clientOf(http.send, { addresses: [a, b] });
    await Promise.all([client.sendHeartbeat(ref), client.sendHeartbeat(ref)]);
    expect(http.lines.map(line => line.slice(4, 4 + a.length))).toEqual([a, a, b, b]);
    expect(client.address).toBe(b);
  });
});

describe('the deadline of a call', () => {
  /** A registry that takes as long as it may for each request, and refuses each token first. */
  function hanging(addresses: readonly [string, ...string[]], refusalsMs: number) {
    const clock = { now: 0 };
    const sent: string[] = [];
    const send = async ({ url, headers, timeoutMs }: HttpRequest) => {
      const isFirst = !sent.some(line => line.startsWith(url.slice(0, a.length)));
      sent.push(`${url.slice(0, a.length)} ${headers['Authorization']} ${timeoutMs}`);
      clock.now += isFirst ? refusalsMs : timeoutMs;
      if (!isFirst) failing('', 'TimeoutError')();
      return { status: 401, headers: {}, body: '{"errorCode":"401205"}' };
    };
    const credentials = new Noting();
    const client = clientOf(send, { addresses, credentials, now: () => clock.now });
    return { client, clock, sent };
  }

  it('holds for all exchanges together: two addresses that refuse the token, and hang then', async () => {
    const { client, clock, sent } = hanging([a, b], 400);
    const error = await errorOf(client.sendHeartbeat(ref, { timeoutMs: 5_000 }));
    expect(error).toBeInstanceOf(ServiceCenterTimeoutError);
    expect(sent).toEqual([
      `${a} Bearer t1 2500`,
      `${a} Bearer t2 2100`,
      `${b} Bearer t3 2500`,
      `${b} Bearer t4 2100`,
    ]);
    expect(clock.now).toBe(5_000);
  });

  it('is that of the only address', async () => {
    const { client, clock, sent } = hanging([a], 1_000);
    await errorOf(client.sendHeartbeat(ref, { timeoutMs: 5_000 }));
    expect(sent).toEqual([`${a} Bearer t1 5000`, `${a} Bearer t2 4000`]);
    expect(clock.now).toBe(5_000);
  });

  it('is handed to the credentials, less the time that has passed', async () => {
    const given: unknown[] = [];
    const headersFor: Credentials['headersFor'] = async (address, { timeoutMs }) => {
      given.push([address, timeoutMs]);
      return {};
    };
    let now = 0;
    const send = async ({ url }: HttpRequest) => {
      now += 700;
      if (url.startsWith(a)) failing('ECONNRESET')();
      return { status: 200, headers: {}, body: '' };
    };
    const credentials = { ...noCredentials, headersFor };
    await clientOf(send, { addresses: [a, b], credentials, now: () => now }).sendHeartbeat(ref);
    expect(given).toEqual([
      [a, 2_500],
      [b, 4_300],
    ]);
  });
});

describe('a second opinion', () => {
  const secondOpinion = ['refused', 'instance-gone'] as const;
  const refused = { status: 400, body: { errorCode: '400001' } };
  const gone = { status: 400, body: { errorCode: '400017' } };

  it('is asked of another address, and moves on from the one that it contradicts', async () => {
    const http = new FakeSend(refused, {});
    const client = clientOf(http.send, { addresses: [a, b] });
    await client.sendHeartbeat(ref, { secondOpinion });
    expect(http.lines).toEqual([`PUT ${a}${path}`, `PUT ${b}${path}`]);
    expect(client.address).toBe(b);
  });

  it.each([
    ['is the same', refused, refused, 400_001],
    ['does not come', refused, failing('ECONNREFUSED'), 400_001],
    ['is another refusal', gone, refused, 400_017],
    ['is that the instance is gone', refused, gone, 400_017],
  ] as const)('that %s lets the refusal count', async (_, first, second, errorCode) => {
    const http = new FakeSend(first, second);
    const client = clientOf(http.send, { addresses: [a, b] });
    expect(await errorOf(client.sendHeartbeat(ref, { secondOpinion }))).toMatchObject({
      errorCode,
    });
    expect(http.lines).toHaveLength(2);
    expect(client.address).toBe(a);
  });

  it('is not asked where there is no other address, nor for other refusals', async () => {
    const alone = new FakeSend(refused);
    await errorOf(clientOf(alone.send).sendHeartbeat(ref, { secondOpinion }));
    const other = new FakeSend({ status: 400, body: { errorCode: '400012' } });
    const client = clientOf(other.send, { addresses: [a, b] });
    await errorOf(client.sendHeartbeat(ref, { secondOpinion }));
    expect([alone.lines.length, other.lines.length]).toEqual([1, 1]);
  });

  it('doubles no request of an application', async () => {
    const http = new FakeSend({ status: 400, body: { errorCode: '400012' } });
    const client = clientOf(http.send, { addresses: [a, b] });
    await errorOf(client.findInstances({ appId: 'default', serviceName: 's' }));
    await errorOf(client.getInstance(ref));
    expect(http.lines).toHaveLength(2);
  });

  it('is asked of an address that did not answer once', async () => {
    const http = new FakeSend(failing('', 'TimeoutError'), gone, {});
    const client = clientOf(http.send, { addresses: [a, b] });
    await errorOf(client.sendHeartbeat(ref, { secondOpinion }));
    await errorOf(client.sendHeartbeat(ref, { secondOpinion }));
    expect(http.lines.map(line => line.slice(4, 4 + a.length))).toEqual([a, b, b]);
    http.answer(gone, {});
    await client.sendHeartbeat(ref, { secondOpinion });
    expect(client.address).toBe(a);
  });

  it('comes also from an address that was contradicted before: it may be well by now', async () => {
    const http = new FakeSend(refused, {}, gone, {});
    const client = clientOf(http.send, { addresses: [a, b] });
    await client.sendHeartbeat(ref, { secondOpinion });
    await client.sendHeartbeat(ref, { secondOpinion });
    expect(http.lines).toHaveLength(4);
    expect(client.address).toBe(a);
  });
});

describe('what is no failure of the registry', () => {
  it('passes an abort through and asks nobody else', async () => {
    const abort = new AbortController();
    const http = new FakeSend(async ({ signal }) => {
      await new Promise(resolve => signal?.addEventListener('abort', resolve));
      throw signal?.reason;
    });
    const client = clientOf(http.send, { addresses: [a, b] });
    const beat = errorOf(client.sendHeartbeat(ref, { signal: abort.signal }));
    const reason = new Error('enough');
    await setImmediate();
    abort.abort(reason);
    expect(await beat).toBe(reason);
    expect(http.requests).toHaveLength(1);
    expect(client.address).toBe(a);
  });

  it('tells a deadline of the caller’s from one of the request', async () => {
    const abort = new AbortController();
    const reason = new DOMException('The operation timed out', 'TimeoutError');
    const http = new FakeSend(async ({ signal }) => {
      abort.abort(reason);
      throw signal?.reason;
    });
    const client = clientOf(http.send, { addresses: [a, b] });
    expect(await errorOf(client.sendHeartbeat(ref, { signal: abort.signal }))).toBe(reason);
    expect(http.requests).toHaveLength(1);
    expect(client.address).toBe(a);
  });

  it('lets a bug surface from the first address', async () => {
    const bug = new TypeError('x is not a function');
    const http = new FakeSend(() => {
      throw bug;
    });
    const client = clientOf(http.send, { addresses: [a, b] });
    expect(await errorOf(client.sendHeartbeat(ref))).toBe(bug);
    expect(http.requests).toHaveLength(1);
  });

  it('lets a bug surface from the second address', async () => {
    const bug = new TypeError('x is not a function');
    const http = new FakeSend(failing('ECONNREFUSED'), () => {
      throw bug;
    });
    const client = clientOf(http.send, { addresses: [a, b] });
    expect(await errorOf(client.sendHeartbeat(ref))).toBe(bug);
  });

  it('is waited for while it lasts', async () => {
    const http = new FakeSend(never);
    const beat = clientOf(http.send).sendHeartbeat(ref);
    expect(await Promise.race([beat, Promise.resolve('pending')])).toBe('pending');
  });
});

describe('the answer to a heartbeat', () => {
  it.each(['', 'Success', ' Success\n', '\r\n', '{}\n'])(
    'is a success with the body %j',
    async body => {
      const http = new FakeSend({ body });
      await expect(clientOf(http.send).sendHeartbeat(ref)).resolves.toBeUndefined();
    },
  );

  it.each(['success', '{}{}', '{"a":1}', '<html>Welcome</html>', 'Success!', '"Success"'])(
    'is none with the body %j',
    async body => {
      const http = new FakeSend({ body });
      const error = await errorOf(clientOf(http.send).sendHeartbeat(ref));
      expect(error).toBeInstanceOf(ServiceCenterProtocolError);
      expect(error).toMatchObject({
        operation: 'heartbeat',
        address: a,
        expected: 'an empty body',
        received: body,
      });
    },
  );

  it.each([201, 202, 204])('is a success with HTTP %i and no body', async status => {
    const http = new FakeSend({ status });
    await expect(clientOf(http.send).sendHeartbeat(ref)).resolves.toBeUndefined();
  });

  it('is none with HTTP 304, nor with HTTP 204 where an answer is needed', async () => {
    for (const status of [204, 304]) {
      const client = clientOf(new FakeSend({ status }).send);
      await expect(client.findServiceId({ serviceName: 's', version: '1.0.0' })).rejects.toThrow(
        ServiceCenterProtocolError,
      );
    }
  });
});

describe('an address that fails again and again', () => {
  it('is left out, and comes back when it answers a probe', async () => {
    const http = new FakeSend(({ url }) => {
      if (url.startsWith(a)) failing('ECONNREFUSED')();
      return {};
    });
    const channel = channelOf(http.send, { addresses: [a, b] });
    const client = new ServiceCenterClient(channel);
    const told: string[] = [];
    channel.addresses.onChange(({ kind, address }) => told.push(`${kind} ${address}`));
    for (let time = 0; time < 3; time += 1) {
      await client.sendHeartbeat(ref);
      channel.addresses.leave(b);
    }
    expect(told).toEqual([`isolated ${a}`]);
    expect(channel.addresses.current).toBe(b);
    expect(await channel.probe(a)).toBe(false);
    http.answer({});
    expect(await channel.probe(a)).toBe(true);
    expect(told).toEqual([`isolated ${a}`, `restored ${a}`]);
  });

  it('is not isolated by throttling, nor by a refusal', async () => {
    for (const answer of [{ status: 429 }, { status: 400, body: { errorCode: '400017' } }]) {
      const channel = channelOf(new FakeSend(answer).send, { addresses: [a, b] });
      for (let time = 0; time < 5; time += 1)
        await errorOf(new ServiceCenterClient(channel).sendHeartbeat(ref));
      expect(channel.addresses.isolated).toEqual([]);
    }
  });

  it('is not isolated by requests that were given up', async () => {
    const send = ({ signal }: HttpRequest) =>
      new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
      });
    const channel = channelOf(send, { addresses: [a, b] });
    const client = new ServiceCenterClient(channel);
    for (let time = 0; time < 3; time += 1) {
      const abort = new AbortController();
      const sent = errorOf(client.sendHeartbeat(ref, { signal: abort.signal }));
      abort.abort();
      expect(await sent).toMatchObject({ name: 'AbortError' });
    }
    expect(channel.addresses.isolated).toEqual([]);
  });
});

describe('a header of the application’s own that is short, or like a number', () => {
  it('does not change what an answer means', async () => {
    const headers = { 'X-Tenant': '1', 'X-Auth-Token': '400017' };
    const credentials = { ...noCredentials, headersFor: async () => headers };
    const http = new FakeSend({ status: 400, body: { errorCode: '400017', detail: 'of 400017' } });
    const error = await errorOf(clientOf(http.send, { credentials }).sendHeartbeat(ref));
    expect(error).toMatchObject({ errorCode: 400_017, detail: 'of ***' });
  });
});

describe('a probe', () => {
  const root = '/v4/default/registry';

  it('asks for the readiness of a cloud, which decides', async () => {
    for (const [status, serves] of [
      [200, true],
      [503, false],
    ] as const) {
      const http = new FakeSend({ status });
      expect(await channelOf(http.send).probe(a)).toBe(serves);
      expect(http.lines).toEqual([`GET ${a}${root}/health/readiness`]);
    }
  });

  it.each([404, 405, 401, 403])(
    'asks for the version where readiness is %i, and remembers it',
    async status => {
      const http = new FakeSend({ status }, { body: { version: '2.2.0' } });
      const channel = channelOf(http.send);
      expect(await channel.probe(a)).toBe(true);
      expect(await channel.probe(a)).toBe(true);
      expect(http.lines.map(line => line.slice(`GET ${a}${root}`.length))).toEqual([
        '/health/readiness',
        '/version',
        '/version',
      ]);
    },
  );

  it.each([401, 403])('takes %i for the answer of one who is there', async status => {
    const http = new FakeSend({ status, body: 'Who are you?' });
    expect(await channelOf(http.send).probe(a)).toBe(true);
  });

  it('finds nobody where nothing answers, and rejects only when aborted', async () => {
    const http = new FakeSend(failing('ECONNREFUSED'));
    expect(await channelOf(http.send).probe(a)).toBe(false);
    const signal = AbortSignal.abort();
    await expect(channelOf(http.send).probe(a, { signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('a request with credentials', () => {
  const ok = { body: { instanceId: 'i' } };
  const refusal = (status: number, errorCode: string, detail = '') => ({
    status,
    body: { errorCode, errorMessage: '', detail },
  });

  async function noted(...answers: readonly FakeAnswer[]): Promise<readonly string[]> {
    const http = new FakeSend(...answers);
    const credentials = new Noting();
    const instance = { hostName: 'h', endpoints: [], instanceId: 'i' };
    await clientOf(http.send, { credentials })
      .registerInstance('s', instance)
      .catch(() => undefined);
    const bodies = new Set(http.requests.map(({ body }) => body));
    expect(bodies.size).toBe(1);
    return [...credentials.noted, `${http.requests.length} sent`];
  }

  it('notes that they were accepted', async () => {
    expect(await noted(ok)).toEqual(['accepted Bearer t1', '1 sent']);
  });

  it.each(['401201', '401204', '401205', '401206'])(
    'that is refused with %s is sent once more as it was, a POST, too, with others',
    async code => {
      const [first, second] = ['refused Bearer t1', 'accepted Bearer t2'];
      expect(await noted(refusal(401, code), ok)).toEqual([first, second, '2 sent']);
      const always = await noted(refusal(401, code));
      expect(always).toEqual([first, 'refused Bearer t2', '2 sent']);
    },
  );

  it.each([
    [refusal(401, '401201', 'no valid resouce scope')],
    [refusal(401, '401202')],
    [refusal(403, '403201')],
    [refusal(403, '')],
    [refusal(400, '400001')],
    [refusal(500, '500003')],
  ])('is not sent again for other reasons (%#)', async answer => {
    expect(await noted(answer)).toEqual(['1 sent']);
  });

  it('notes that they lack a permission, and is not sent again', async () => {
    expect(await noted(refusal(403, '403205'))).toEqual(['denied Bearer t1', '1 sent']);
  });
});

describe('the handshake of a watcher', () => {
  const watcher = '/v4/default/registry/microservices/s/watcher';

  it('goes to the address in use, with the headers of every request', async () => {
    const credentials = new Noting();
    const channel = channelOf(new FakeSend().send, { domain: 'acme', credentials });
    const request = await channel.watchRequest('s', {});
    expect(request).toMatchObject({
      address: a,
      url: `${a}${watcher}`,
      maxMessageBytes: 1_048_576,
    });
    expect(request.headers).toMatchObject({
      'x-domain-name': 'acme',
      Authorization: 'Bearer t1',
    });
    request.accepted();
    request.refused();
    expect(credentials.noted).toEqual(['accepted Bearer t1', 'refused Bearer t1']);
  });

  it('goes to another address than one that failed it, which stays in use for the rest', async () => {
    const channel = channelOf(new FakeSend().send, { addresses: [a, b] });
    expect((await channel.watchRequest('s', { beside: a })).url).toBe(`${b}${watcher}`);
    expect((await channel.watchRequest('s', { beside: b })).url).toBe(`${a}${watcher}`);
    expect(channel.addresses.current).toBe(a);
  });

  it('goes to the one that failed when there is no other', async () => {
    const channel = channelOf(new FakeSend().send);
    expect((await channel.watchRequest('s', { beside: a })).url).toBe(`${a}${watcher}`);
  });

  it('waits for credentials within its bounds', async () => {
    const asked: unknown[] = [];
    const credentials: Credentials = {
      ...noCredentials,
      headersFor: async (address, bounds) => {
        asked.push(address, bounds);
        return {};
      },
    };
    const { signal } = new AbortController();
    const channel = channelOf(new FakeSend().send, { credentials });
    await channel.watchRequest('s', { signal, timeoutMs: 77 });
    expect(asked).toEqual([a, { signal, timeoutMs: 77 }]);
  });

  it('refuses an id that is none', async () => {
    const channel = channelOf(new FakeSend().send);
    await expect(channel.watchRequest('..', {})).rejects.toBeInstanceOf(RangeError);
  });
});
