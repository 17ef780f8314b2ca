import { describe, expect, it } from '@jest/globals';
import type { EmbeddedServiceCenter } from '../../lib/index.js';
import { exchange } from '../support/exchange.js';
import type { TestAnswer } from '../support/exchange.js';
import { FakeClock } from '../support/registry.js';
import { ask, outcome, registered, started } from './server.js';

/** Sends `"GET faults"` below `/-/`; a body is sent as JSON. */
function askPage(
  { url }: EmbeddedServiceCenter,
  line: string,
  { body, headers }: { readonly body?: unknown; readonly headers?: Record<string, string> } = {},
): Promise<TestAnswer> {
  const [method, path = ''] = line.split(' ');
  const type = method === 'POST' ? { 'content-type': 'application/json' } : {};
  return exchange(url, { method, path: `/-/${path}`, headers: { ...type, ...headers }, body });
}

const told = async (answer: Promise<TestAnswer>) => {
  const { status, text } = await answer;
  return { status, json: JSON.parse(text) };
};

describe('a body that is nested 5,000 deep', () => {
  const nested = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;

  it.each([
    ['POST faults', nested],
    ['POST faults', `{"kind":"answer","status":500,"body":${nested}}`],
    ['POST faults', `{"kind":"answer","status":500,"headers":${nested}}`],
    ['POST faults', `{"kind":"hang","match":${nested}}`],
    ['POST clock', `{"advanceMs":${nested}}`],
  ])('is refused: %s', async (line, body) => {
    const serviceCenter = await started({ clock: new FakeClock() });
    expect(await outcome(askPage(serviceCenter, line, { body }))).toBe(400);
    expect(serviceCenter.faults.list()).toEqual([]);
  });

  it.each([
    ['POST /microservices', `{"service":{"serviceName":"x","properties":${nested}}}`],
    ['PUT /heartbeats', `{"instances":[{"instanceId":${nested}}]}`],
    ['POST /instances/action?type=query', `{"services":[{"service":${nested}}]}`],
    ['PUT /dependencies', `{"dependencies":[{"consumer":${nested}}]}`],
  ])('is answered by the registry, too: %s', async (line, body) => {
    expect(await outcome(ask(await started(), line, body))).toBe(400);
  });
});

describe('the page', () => {
  it('is one document, and all that it loads is served beside it', async () => {
    const serviceCenter = await started();
    const seen = new Map<string, string>();
    const load = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      const { status, headers, text } = await askPage(serviceCenter, `GET ${path}`);
      seen.set(path, `${status} ${headers['content-type']}`);
      const found = [...text.matchAll(/(?:src|href)="([^"#]+)"|from '\.\/([^']+)'/g)];
      for (const [, link, module] of found) await load(link ?? `browser/${module}`);
    };
    await load('');
    expect(seen.get('')).toBe('200 text/html; charset=utf-8');
    expect(seen.get('style.css')).toBe('200 text/css; charset=utf-8');
    expect(seen.get('icon.svg')).toBe('200 image/svg+xml; charset=utf-8');
    expect(seen.get('browser/board.js')).toBe('200 text/javascript; charset=utf-8');
    expect([...seen.values()].filter(each => !each.startsWith('200'))).toEqual([]);
    expect(seen.size).toBeGreaterThan(12);
  });

  it('has strict headers, and none that lets another origin in', async () => {
    const serviceCenter = await started();
    for (const path of ['', 'browser/main.js', 'registry', 'nothing']) {
      const headers = { origin: serviceCenter.url };
      const answer = await askPage(serviceCenter, `GET ${path}`, { headers });
      expect(answer.headers['content-security-policy']).toMatch(
        /^default-src 'none'; script-src 'self'; /,
      );
      expect(answer.headers['content-security-policy']).not.toMatch(/unsafe|http|\*/);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
      expect(Object.keys(answer.headers).filter(name => name.startsWith('access-control'))).toEqual(
        [],
      );
    }
  });

  it('is where /-  leads', async () => {
    const { url } = await started();
    const { status, headers } = await exchange(url, { path: '/-' });
    expect([status, headers.location]).toEqual([308, '/-/']);
  });

  it.each([
    'browser/../page-api.js',
    'browser/%2e%2e%2fpage-api.js',
    'browser/main.js.map',
    'browser/tsconfig.json',
    'browser/nothing.js',
    'browser/',
    'a/b/c/d',
    '%zz',
  ])('serves nothing at %s', async path => {
    expect(await outcome(askPage(await started(), `GET ${path}`))).toBe(404);
  });

  it.each(['POST registry', 'PUT faults', 'GET clock', 'OPTIONS faults', 'GET instances/own'])(
    'refuses %s and says what it may be asked for',
    async line => {
      const { status, headers } = await askPage(await started(), line);
      expect(status).toBe(405);
      expect(headers.allow).toMatch(/^[A-Z]+/);
    },
  );

  it('meets no fault, and no journal counts it', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.answer(503, '');
    expect(await outcome(askPage(serviceCenter, 'GET registry'))).toBe(200);
    expect(await outcome(askPage(serviceCenter, 'HEAD registry'))).toBe(200);
    expect(serviceCenter.requests).toEqual([]);
    expect(serviceCenter.faults.list()).toMatchObject([{ hits: 0 }]);
  });

  it.each([
    ['POST faults', { 'sec-fetch-site': 'cross-site' }, 403],
    ['DELETE instances/own', { origin: 'http://evil.example' }, 403],
    ['GET registry', { host: 'evil.example' }, 403],
    ['GET events', { 'sec-fetch-site': 'same-site' }, 403],
    ['POST faults', { 'content-type': 'text/plain' }, 415],
  ])('turns away a page of another origin: %s with %j', async (line, headers, status) => {
    const serviceCenter = await started();
    await registered(serviceCenter);
    const body = line.startsWith('POST') ? { kind: 'hang' } : undefined;
    expect(await outcome(askPage(serviceCenter, line, { body, headers }))).toBe(status);
    expect(serviceCenter.instances()).toHaveLength(1);
    expect(serviceCenter.faults.list()).toEqual([]);
  });
});

describe('the registry in the API of the page', () => {
  it('has services, instances, leases, endpoints and properties, and not itself', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    await registered(serviceCenter);
    const beatAt = clock.now() + 1000;
    clock.advance(1000);
    await ask(serviceCenter, 'PUT /microservices/orders/instances/own/heartbeat');
    clock.advance(500);
    expect((await told(askPage(serviceCenter, 'GET registry'))).json).toEqual({
      now: clock.now(),
      services: [
        {
          key: 'default/default\norders',
          tenant: 'default/default',
          serviceId: 'orders',
          appId: 'default',
          serviceName: 'orders',
          version: '0.0.1',
          environment: '',
          properties: {},
          instances: [
            {
              key: 'default/default\norders\nown',
              instanceId: 'own',
              hostName: 'h',
              status: 'UP',
              endpoints: [],
              properties: {},
              lease: { lengthMs: 120_000, remainingMs: 119_500, renewedAt: beatAt },
            },
          ],
        },
      ],
    });
  });
});

describe('a service, by the page', () => {
  const providers = [{ appId: 'default', serviceName: 'stock' }];

  it('is told of with schemas, tags, and who calls whom', async () => {
    const serviceCenter = await started();
    const service = {
      serviceId: 'orders',
      serviceName: 'orders',
      description: 'takes orders',
      framework: { name: 'nestjs', version: '12' },
      schemas: ['declared', 'orders.rest'],
    };
    await ask(serviceCenter, 'POST /microservices', { service, tags: { canary: 'yes' } });
    for (const name of ['stock', 'shop'])
      await ask(serviceCenter, 'POST /microservices', {
        service: { serviceId: name, serviceName: name },
      });
    const upload = { schema: 'text', summary: 'abc' };
    await ask(serviceCenter, 'PUT /microservices/orders/schemas/orders.rest', upload);
    const consumerOf = (serviceName: string, provided: readonly object[]) => ({
      consumer: { appId: 'default', serviceName, version: '0.0.1' },
      providers: provided,
    });
    const dependencies = [
      consumerOf('orders', providers),
      consumerOf('shop', [{ appId: 'default', serviceName: 'orders' }]),
    ];
    await ask(serviceCenter, 'PUT /dependencies', { dependencies });
    const path = 'GET services/orders?tenant=default%2Fdefault';
    expect(await told(askPage(serviceCenter, path))).toEqual({
      status: 200,
      json: {
        serviceId: 'orders',
        description: 'takes orders',
        level: 'BACK',
        framework: 'nestjs 12',
        tags: { canary: 'yes' },
        schemas: [
          { schemaId: 'orders.rest', length: 4, summary: 'abc' },
          { schemaId: 'declared', length: null, summary: '' },
        ],
        providers: ['stock 0.0.1'],
        consumers: ['shop 0.0.1'],
      },
    });
    const schema = await askPage(serviceCenter, `${path}&schema=orders.rest`);
    expect(schema).toMatchObject({ status: 200, text: 'text' });
    expect(schema.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8' });
    expect(await outcome(askPage(serviceCenter, `${path}&schema=declared`))).toBe(404);
    const elsewhere = 'GET services/orders?tenant=other%2Fdefault';
    expect(await outcome(askPage(serviceCenter, elsewhere))).toBe(404);
    expect(await outcome(askPage(serviceCenter, 'GET services/nobody'))).toBe(404);
  });
});

describe('the seed that the page offers', () => {
  it('is a file that another registry can load', async () => {
    const serviceCenter = await started();
    await registered(serviceCenter);
    const { headers, text } = await askPage(serviceCenter, 'GET seed');
    expect(headers['content-disposition']).toBe('attachment; filename="registry.json"');
    const other = await started();
    other.load(JSON.parse(text));
    expect(other.instances()).toMatchObject([{ serviceId: 'orders', instanceId: 'own' }]);
  });
});

describe('an instance, by the page', () => {
  it('is removed, and its watchers are notified', async () => {
    const serviceCenter = await started();
    await registered(serviceCenter);
    expect(await told(askPage(serviceCenter, 'DELETE instances/own'))).toEqual({
      status: 200,
      json: { ended: 1 },
    });
    expect(serviceCenter.instances()).toEqual([]);
    expect(await outcome(askPage(serviceCenter, 'DELETE instances/own'))).toBe(404);
  });

  it('expires: its next heartbeat is answered 400', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    expect(await outcome(askPage(serviceCenter, 'POST instances/own/expire'))).toBe(200);
    expect(await outcome(ask(serviceCenter, `PUT ${path}/heartbeat`))).toBe(400);
  });

  it('can be distinguished from one with the same id in another service or namespace', async () => {
    const serviceCenter = await started();
    await registered(serviceCenter);
    const other = { service: { serviceId: 'shop', serviceName: 'shop' } };
    await ask(serviceCenter, 'POST /microservices', other);
    await ask(serviceCenter, 'POST /microservices/shop/instances', {
      instance: { instanceId: 'own', hostName: 'h' },
    });
    const miss = 'DELETE instances/own?tenant=default/other';
    expect(await outcome(askPage(serviceCenter, miss))).toBe(404);
    const line = 'DELETE instances/own?serviceId=shop&tenant=default%2Fdefault';
    expect(await outcome(askPage(serviceCenter, line))).toBe(200);
    expect(serviceCenter.instances()).toMatchObject([{ serviceId: 'orders' }]);
  });

  it("is never the Service Center's own", async () => {
    const serviceCenter = await started();
    const { text } = await exchange(serviceCenter.url, { path: '/health' });
    const [{ instanceId }] = JSON.parse(text).instances;
    expect(await outcome(askPage(serviceCenter, `DELETE instances/${instanceId}`))).toBe(404);
  });
});

describe('faults over HTTP', () => {
  it('are put on, listed and ended', async () => {
    const serviceCenter = await started();
    const body = {
      kind: 'answer',
      status: 503,
      body: { errorCode: 500011 },
      match: { operation: 'getVersion' },
    };
    const { status, json } = await told(askPage(serviceCenter, 'POST faults', { body }));
    expect([status, json]).toEqual([201, { id: '1' }]);
    const answer = await ask(serviceCenter, 'GET /version');
    expect([answer.status, JSON.parse(answer.text).errorCode]).toEqual([503, '500011']);
    expect((await told(askPage(serviceCenter, 'GET faults'))).json).toMatchObject([
      { id: '1', kind: 'answer', match: { operation: 'getVersion' }, hits: 1 },
    ]);
    expect(await outcome(askPage(serviceCenter, 'DELETE faults/1'))).toBe(200);
    expect(await outcome(askPage(serviceCenter, 'DELETE faults/1'))).toBe(404);
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(200);
  });

  it('end all at once', async () => {
    const serviceCenter = await started();
    for (const kind of ['hang', 'reset'])
      await askPage(serviceCenter, 'POST faults', { body: { kind } });
    expect((await told(askPage(serviceCenter, 'DELETE faults'))).json).toEqual({ ended: 2 });
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(200);
  });

  it('are refused with everything that is wrong', async () => {
    const body = { kind: 'delay', ms: -1, match: { times: 0 } };
    expect(await told(askPage(await started(), 'POST faults', { body }))).toEqual({
      status: 400,
      json: {
        error: 'No such fault.',
        issues: [
          'ms must be a whole number from 0 to 3600000',
          'match.times must be a whole number from 1 to 1000000',
        ],
      },
    });
  });

  it.each([
    ['{"kind":', 400],
    ['', 400],
    [`"${'x'.repeat(300_000)}"`, 413],
  ])('are refused when the body is no JSON, or far too long', async (body, status) => {
    expect(await outcome(askPage(await started(), 'POST faults', { body }))).toBe(status);
  });

  it('refuse connections for a while, after they are answered', async () => {
    const serviceCenter = await started();
    const body = { kind: 'refuse', ms: 30 };
    expect(await outcome(askPage(serviceCenter, 'POST faults', { body }))).toBe(201);
    let refused = 0;
    while ((await outcome(ask(serviceCenter, 'GET /version'))) !== 200) refused += 1;
    while (refused === 0 && serviceCenter.faults.list().length > 0)
      refused += (await outcome(ask(serviceCenter, 'GET /version'))) === 200 ? 0 : 1;
    expect(refused).toBeGreaterThan(0);
  });

  it('close idle connections', async () => {
    const { json } = await told(askPage(await started(), 'DELETE connections/idle'));
    expect(json).toEqual({ closed: 0 });
  });

  it('forget everything', async () => {
    const serviceCenter = await started();
    await registered(serviceCenter);
    expect((await told(askPage(serviceCenter, 'DELETE registry'))).json).toEqual({ ended: 1 });
    expect(serviceCenter.dump().services).toEqual([]);
  });

  it('cut watchers', async () => {
    const serviceCenter = await started();
    const cut = (query: string) =>
      told(askPage(serviceCenter, `DELETE connections/watchers${query}`));
    expect((await cut('')).json).toEqual({ closed: 0 });
    expect((await cut('?how=fin')).json).toEqual({ closed: 0 });
    expect(await cut('?how=kill')).toMatchObject({
      status: 400,
      json: { issues: ['how must be one of rst, fin'] },
    });
  });
});

describe('the clock over HTTP', () => {
  it('can be advanced', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    await registered(serviceCenter);
    const advance = (body: unknown) => told(askPage(serviceCenter, 'POST clock', { body }));
    expect((await advance({ advanceMs: 119_999 })).json).toEqual({ now: clock.now() });
    expect(serviceCenter.instances()).toHaveLength(1);
    await advance({ advanceMs: 1 });
    expect(serviceCenter.instances()).toEqual([]);
    expect(await advance({ advanceMs: -1, b: 2 })).toMatchObject({
      status: 400,
      json: { issues: [expect.stringMatching(/^advanceMs must/), 'b is not a known field'] },
    });
  });

  it('cannot be advanced without the method', async () => {
    const answer = await told(askPage(await started(), 'POST clock', { body: { advanceMs: 1 } }));
    expect([answer.status, answer.json.error]).toEqual([501, expect.stringMatching(/no advance/)]);
  });
});
