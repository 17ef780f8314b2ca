import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { exchange } from '../support/exchange.js';
import { FakeClock } from '../support/registry.js';
import { ask, rawExchange, registered, started } from './server.js';

describe('over HTTP', () => {
  it('a success without an object has an empty body and says so', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    const { headers, text } = await ask(serviceCenter, `PUT ${path}/heartbeat`);
    expect(text).toBe('');
    expect(headers).toMatchObject({
      'content-length': '0',
      'content-type': 'text/plain; charset=UTF-8',
      server: 'SERVICECENTER/0.0.1',
    });
  });

  it('the length of an answer counts bytes', async () => {
    const serviceCenter = await started();
    const service = {
      serviceId: 'own',
      serviceName: 'orders',
      description: 'Bestellungen für 中国',
    };
    await ask(serviceCenter, 'POST /microservices', { service });
    const { text } = await ask(serviceCenter, 'GET /microservices/own');
    expect(JSON.parse(text).service.description).toBe(service.description);
  });

  it('a body longer than any limit is read to its end and refused', async () => {
    const serviceCenter = await started();
    const description = 'x'.repeat(5 * 1024 * 1024);
    const body = { service: { serviceName: 'orders', description } };
    const { status, text } = await ask(serviceCenter, 'POST /microservices', body);
    expect([status, JSON.parse(text).detail]).toEqual([400, 'http: request body too large']);
  });

  it('malformed JSON is refused with the message of Go', async () => {
    const serviceCenter = await started();
    const { text } = await ask(serviceCenter, 'POST /microservices', '{"service":}');
    expect(JSON.parse(text).detail).toBe("invalid character '}' looking for beginning of value");
  });

  it('an unclean path is not cleaned on the way', async () => {
    const serviceCenter = await started();
    const told = await exchange(serviceCenter.url, { path: '/v4/default/../registry//health' });
    expect(told).toMatchObject({ status: 301, headers: { location: '/v4/registry/health' } });
  });

  it('a connection is kept for the next request', async () => {
    const serviceCenter = await started();
    const get = 'GET /version HTTP/1.1\r\nHost: h\r\n';
    const told = await rawExchange(serviceCenter, `${get}\r\n${get}Connection: close\r\n\r\n`);
    expect(told.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });

  it('the wish to upgrade is not granted', async () => {
    const serviceCenter = await started();
    const told = await exchange(serviceCenter.url, {
      path: '/v4/default/registry/microservices/a/watcher',
      headers: { Connection: 'Upgrade', Upgrade: 'websocket' },
    });
    expect(told).toMatchObject({ status: 400, text: 'Bad Request\n' });
  });

  it('malformed HTTP is answered as by Go', async () => {
    const serviceCenter = await started();
    expect(await rawExchange(serviceCenter, 'nonsense\r\n\r\n')).toBe(
      'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n' +
        'Connection: close\r\n\r\n400 Bad Request',
    );
    const long = `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`;
    expect(await rawExchange(serviceCenter, long)).toMatch(
      /^HTTP\/1\.1 431 Request Header Fields Too Large/,
    );
  });

  it('an answer to what it gave up reading arrives, however much the client sends on', async () => {
    const serviceCenter = await started();
    const endless = `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(3_000_000)}\r\n\r\n`;
    expect(await rawExchange(serviceCenter, endless)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('a connection it cannot read is closed even if the client keeps it', async () => {
    const serviceCenter = await started();
    const { hostname, port } = new URL(serviceCenter.url);
    const options = { host: hostname, port: Number(port), allowHalfOpen: true };
    const socket = connect(options, () => socket.write('nonsense\r\n\r\n'));
    await once(socket.resume(), 'end');
    // Only a closed connection refuses what is written to it.
    const writing = setInterval(() => socket.write('x'), 50);
    await once(socket, 'error');
    clearInterval(writing);
  });

  it('an expectation it does not know is refused', async () => {
    const serviceCenter = await started();
    const path = '/version';
    const { status, text } = await exchange(serviceCenter.url, { path, headers: { Expect: 'x' } });
    expect([status, text]).toEqual([417, '']);
  });

  it.each([
    ['OPTIONS *', '200 OK'],
    ['CONNECT other:80', '404 Not Found'],
    ['CONNECT /version', '405 Method Not Allowed'],
  ])('%s is answered %s', async (line, status) => {
    const serviceCenter = await started();
    const head = `${line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
    expect(await rawExchange(serviceCenter, head)).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\n`));
  });

  it.each([
    ['a tunnel', 'CONNECT /version HTTP/1.1\r\nHost: h\r\n\r\n', '405'],
    [
      'an upgrade',
      'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n',
      '404',
    ],
  ])('%s is refused once the requests before it are answered', async (_, second, status) => {
    const serviceCenter = await started();
    const first = 'GET /version HTTP/1.1\r\nHost: h\r\n\r\n';
    const told = await rawExchange(serviceCenter, first + second);
    expect(told.match(/(?<=HTTP\/1.1 )\d+/g)).toEqual(['200', status]);
  });

  it.each([
    ['whose expectation is refused', 'Host: h\r\nExpect: x\r\n', '417'],
    ['that names no host', '', '400'],
  ])('a tunnel behind a request %s ends with that', async (_, headers, status) => {
    const serviceCenter = await started();
    const first = `GET /version HTTP/1.1\r\n${headers}\r\n`;
    const told = await rawExchange(
      serviceCenter,
      `${first}CONNECT a:1 HTTP/1.1\r\nHost: h\r\n\r\n`,
    );
    expect(told.match(/(?<=HTTP\/1.1 )\d+/g)).toEqual([status]);
    expect((await exchange(serviceCenter.url, { path: '/version' })).status).toBe(200);
  });

  it('a client that goes away in the middle of a request leaves no trace', async () => {
    const serviceCenter = await started();
    const { hostname, port } = new URL(serviceCenter.url);
    await new Promise<void>(resolve => {
      const socket = connect(Number(port), hostname, () => {
        socket.write('POST /v4/default/registry/microservices HTTP/1.1\r\nHost: h\r\n');
        socket.write('Content-Length: 100\r\n\r\n{', () => socket.resetAndDestroy());
      });
      socket.once('close', () => resolve());
    });
    expect((await exchange(serviceCenter.url, { path: '/version' })).status).toBe(200);
    expect(serviceCenter.requests).toHaveLength(1);
  });
});

describe('a long answer', () => {
  const asked = async (encoding: string | undefined, length: number) => {
    const serviceCenter = await started();
    // Its content makes a body of exactly this length: {"schema":"…"}
    const body = { schema: 'x'.repeat(length - 13) };
    await ask(serviceCenter, 'POST /microservices', {
      service: { serviceId: 'own', serviceName: 'a' },
    });
    await ask(serviceCenter, 'PUT /microservices/own/schemas/s', body);
    const headers: Record<string, string> =
      encoding === undefined ? {} : { 'Accept-Encoding': encoding };
    const path = '/v4/default/registry/microservices/own/schemas/s';
    return exchange(serviceCenter.url, { path, headers });
  };

  it.each([['gzip'], ['deflate, gzip;q=0.5'], ['GZIP'], ['gzip; q=1.0']])(
    'is compressed for who accepts it: %s',
    async encoding => {
      const { headers } = await asked(encoding, 1400);
      expect(headers).toMatchObject({
        'content-encoding': 'gzip',
        'content-type': 'application/json; charset=UTF-8',
        vary: 'Accept-Encoding, Origin',
      });
      expect(Number(headers['content-length'])).toBeLessThan(200);
    },
  );

  it.each([
    ['nothing', undefined, 1400],
    ['anything', '*', 1400],
    ['other encodings', 'br, deflate', 1400],
    ['no gzip', 'gzip;q=0.0', 1400],
    ['gzip for less than 1,400 bytes', 'gzip', 1399],
  ])('is not compressed for a client that accepts %s', async (_, encoding, length) => {
    const { headers, text } = await asked(encoding, length);
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).toMatchObject({ vary: 'Accept-Encoding, Origin' });
    expect(text).toHaveLength(length);
  });

  it('is read by fetch as if it were plain', async () => {
    const serviceCenter = await started();
    const service = { serviceId: 'own', serviceName: 'a' };
    await ask(serviceCenter, 'POST /microservices', { service });
    const schema = 'Bestellungen für 中国 '.repeat(100);
    await ask(serviceCenter, 'PUT /microservices/own/schemas/s', { schema });
    const path = '/v4/default/registry/microservices/own/schemas/s';
    const response = await fetch(`${serviceCenter.url}${path}`);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.json()).toEqual({ schema });
  });

  it('is that of the current list, however often the list was compressed before', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    const properties = { text: 'x'.repeat(1400) };
    const find = '/v4/default/registry/instances?appId=default&serviceName=orders';
    for (const status of ['UP', 'DOWN']) {
      await ask(serviceCenter, `PUT ${path}/properties`, { properties });
      await ask(serviceCenter, `PUT ${path}/status?value=${status}`);
      const plain = await exchange(serviceCenter.url, { path: find });
      expect(JSON.parse(plain.text)).toMatchObject({ instances: [{ status, properties }] });
      for (let count = 0; count < 2; count += 1) {
        const response = await fetch(`${serviceCenter.url}${find}`);
        expect(response.headers.get('content-encoding')).toBe('gzip');
        expect(await response.text()).toBe(plain.text);
      }
    }
  });
});

describe('the journal', () => {
  it('has what was asked, when, how, and what was answered', async () => {
    const clock = new FakeClock();
    const serviceCenter = await started({ clock });
    const path = '/v4/default/registry/microservices/a/instances/b/heartbeat?a=b';
    const headers = { 'X-Domain-Name': 'other' };
    await exchange(serviceCenter.url, { method: 'PUT', path, headers, body: 'text' });
    await exchange(serviceCenter.url, { path: '/version' });
    expect(serviceCenter.requests).toMatchObject([
      {
        at: clock.now(),
        operation: 'heartbeat',
        method: 'PUT',
        path,
        headers: { 'x-domain-name': 'other' },
        body: 'text',
        status: 400,
      },
      { operation: undefined, method: 'GET', path: '/version', body: '', status: 200 },
    ]);
  });

  it('keeps the first 64 KiB of a body', async () => {
    const serviceCenter = await started();
    await ask(serviceCenter, 'POST /microservices', 'x'.repeat(100_000));
    expect(serviceCenter.requests[0]?.body).toHaveLength(65_536);
  });

  it('calls listeners before a request is executed, until they are removed', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    const seen: unknown[] = [];
    const remove = serviceCenter.onRequest(({ operation, status }) =>
      seen.push([operation, status, serviceCenter.instances().length]),
    );
    await ask(serviceCenter, `DELETE ${path}`);
    remove();
    await ask(serviceCenter, 'GET /version');
    expect(seen).toEqual([['unregisterInstance', undefined, 1]]);
  });
});
