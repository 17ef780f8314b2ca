import { describe, expect, it } from '@jest/globals';
import { TestRegistry, refusalOf } from '../support/registry.js';
import type { AskOptions } from '../support/registry.js';

const registry = new TestRegistry();

describe('the path of a request', () => {
  it.each([
    ['/v4/default/registry/nothing'],
    ['/v4/default/registry/microservices/'],
    ['/v4/default/registry/microservices/a/rules'],
    ['/v4/default/registry/health/readiness'],
    ['/v4/default/Registry/microservices'],
    ['/v4/default/registry'],
    ['/v4/token'],
  ])('is answered 404 in plain text if it does not exist: %s', path => {
    expect(registry.ask(`GET ${path}`)).toMatchObject({
      status: 404,
      text: '404 page not found\n',
      headers: { 'Content-Type': 'text/plain; charset=utf-8', Server: 'SERVICECENTER/0.0.1' },
    });
  });

  it.each([
    ['POST', '/heartbeats', 'PUT'],
    ['POST', '/microservices/a/instances/b/heartbeat', 'GET, PUT'],
    ['HEAD', '/microservices', 'GET, POST, DELETE'],
    ['PATCH', '/microservices/a/schemas/b', 'GET, PUT, DELETE'],
    ['get', '/instances', 'GET'],
  ])('is answered 405 with what is possible: %s %s', (method, path, allow) => {
    expect(registry.ask(`${method} ${path}`)).toMatchObject({
      status: 405,
      text: 'Method Not Allowed\n',
      headers: { Allow: allow },
    });
  });

  it('may have escapes, and an escaped slash separates', () => {
    expect(refusalOf(registry.ask('GET /microservices/%73%C3%BC'))).toContain('400012');
    expect(registry.ask('GET /microservices%2Fa%2Ftags').json.errorCode).toBe('400012');
  });

  it('may have escapes that are no UTF-8, but no broken ones', () => {
    expect(registry.ask('GET /microservices/%FF').json.errorCode).toBe('400012');
    expect(registry.ask('GET /microservices/%zz')).toMatchObject({
      status: 400,
      text: '400 Bad Request',
    });
  });

  it.each([
    ['/v4//default/registry/health', '/v4/default/registry/health'],
    ['/v4/default/./registry/../registry/health?a=1&b', '/v4/default/registry/health?a=1&b'],
    ['/v4/../../..', '/'],
    ['/v4/a%20b/./c/', '/v4/a%20b/c/'],
  ])('is sent to where it leads when it is not clean: %s', (path, location) => {
    const told = registry.ask(`GET ${path}`);
    expect(told).toMatchObject({ status: 301, headers: { Location: location } });
    expect(told.text).toBe(
      `<a href="${location.replace('&', '&amp;')}">Moved Permanently</a>.\n\n`,
    );
    expect(registry.ask(`PUT ${path}`)).toMatchObject({ status: 301, text: '' });
  });

  it('may name the server, as a request to a proxy does', () => {
    const target = 'http://127.0.0.1:30100/v4/default/registry/version';
    expect(registry.ask(`GET /v4/../${target}`).status).toBe(301);
    // The server complains about the double slash of the scheme.
    const { status, text } = registry.askTarget('GET', target);
    expect([status, text.slice(0, 24)]).toEqual([400, 'Invalid Request URI http']);
    expect(text).toContain('"apiVersion":"4.0.0"}');
  });

  it.each([
    ['a doubled slash in the query', '?a=//'],
    ['a question mark at its end', '?'],
    ['an ampersand at its end', '?a&'],
    ['more than 2,047 characters', `?a=${'b'.repeat(2048)}`],
  ])('is complained about and executed all the same: %s', (_, query) => {
    const target = `/v4/empty/registry/microservices${query}`;
    expect(registry.ask(`GET ${target}`)).toMatchObject({
      status: 400,
      text: `Invalid Request URI ${target}{}`,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    });
  });
});

describe('the server', () => {
  it.each([
    ['/v4/any/registry/version', '4.0.0'],
    ['/version', '3.0.0'],
  ])('returns its version at %s', (path, apiVersion) => {
    const { text } = registry.askTarget('GET', path);
    expect(JSON.parse(text)).toMatchObject({ version: '0.0.1', buildTag: 'embedded', apiVersion });
  });

  it('reports that synchronization is not configured', () => {
    const told = registry.askTarget('GET', '/v1/syncer/health');
    expect(refusalOf(told)).toBe('500 500003 sync config is empty');
  });

  it('lists its own address in its health once it runs', () => {
    const health = () => registry.ask('GET /v4/any/registry/health', { domain: 'other' }).json;
    expect(health()).toEqual({});
    const leave = registry.model.registerSelf('self', { host: 'h', port: 7 });
    expect(health()).toMatchObject({ instances: [{ endpoints: ['rest://h:7/'] }] });
    leave();
    expect(health()).toEqual({});
  });

  it('keeps itself for as long as it runs', () => {
    const leave = registry.model.registerSelf('self', { host: 'h', port: 7 });
    registry.clock.advance(86_400_000);
    const id = '7062417bf9ebd4c646bb23059003cea42180894a';
    expect(registry.beat(id, 'self')).toBe(200);
    registry.instance(id, { instanceId: 'self' });
    expect(registry.read(id, 'self')).toMatchObject({ endpoints: ['rest://h:7/'] });
    leave();
  });

  it.each([['/microservices/a/watcher'], ['/microservices/a/instances/b/heartbeat']])(
    'does not talk without a WebSocket at %s',
    path => {
      expect(registry.ask(`GET ${path}`)).toMatchObject({ status: 400, text: 'Bad Request\n' });
    },
  );
});

describe('a page of another origin', () => {
  const preflight = (headers: Readonly<Record<string, string>>) =>
    registry.ask('OPTIONS /anything', { headers: { origin: 'http://page', ...headers } });

  it('may read every answer', () => {
    const headers = { origin: 'http://page' };
    expect(registry.ask('GET /microservices', { headers }).headers).toMatchObject({
      'Access-Control-Allow-Origin': '*',
      Vary: 'Origin',
    });
    expect(registry.ask('GET /microservices').headers).not.toHaveProperty(
      'Access-Control-Allow-Origin',
    );
  });

  it('may send what the server knows', () => {
    const asked = { 'access-control-request-method': 'put' };
    const named = { ...asked, 'access-control-request-headers': 'Content-Type, X-ConsumerId' };
    expect(preflight(asked)).toMatchObject({
      status: 200,
      text: '',
      headers: { 'Access-Control-Allow-Methods': 'PUT' },
    });
    expect(preflight(named).headers).toMatchObject({
      'Access-Control-Allow-Headers': 'Content-Type, X-ConsumerId',
    });
  });

  it.each([
    [{ 'access-control-request-method': 'PATCH' }],
    [
      {
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'Authorization',
      },
    ],
  ])('gets no answer to a request that it must not send: %j', headers => {
    const told = preflight(headers);
    expect(told.status).toBe(200);
    expect(told.headers).not.toHaveProperty('Access-Control-Allow-Methods');
  });
});

describe('the length of a body', () => {
  const registry = new TestRegistry();
  const id = registry.service({ serviceName: 'bodies' });
  const instanceId = registry.instance(id);
  const padded = (length: number, body: object) => {
    const text = JSON.stringify({ ...body, pad: '' });
    return text.replace('"pad":""', `"pad":"${'x'.repeat(length - text.length)}"`);
  };
  const service = { service: { serviceName: 'long' } };

  it.each([
    [`POST /microservices/${id}/instances`, 5 * 1024, { instance: { hostName: 'h' } }],
    [`PUT /microservices/${id}/properties`, 3 * 1024, {}],
    [`PUT /microservices/${id}/instances/${instanceId}/properties`, 3 * 1024, {}],
    ['POST /microservices', 2 * 1024 * 1024, service],
    ['POST /instances/action?type=other', 2 * 1024 * 1024, {}],
  ])('is limited: %s takes %d bytes', (line, limit, body) => {
    const refused = 'http: request body too large';
    expect(registry.ask(line, { body: padded(limit, body) }).json?.detail).not.toBe(refused);
    expect(registry.ask(line, { body: padded(limit + 1, body) }).json.detail).toBe(refused);
  });

  it('does not matter where the body is not looked at', () => {
    const body = 'x'.repeat(3 * 1024 * 1024);
    const line = `PUT /microservices/${id}/instances/${instanceId}/heartbeat`;
    expect(registry.ask(line, { body }).status).toBe(200);
  });
});

describe('version 3 of the API', () => {
  const registry = new TestRegistry();
  const ask = (
    line: string,
    { headers = {}, body = '' }: Pick<AskOptions, 'headers' | 'body'> = {},
  ) => {
    const [method = '', path = ''] = line.split(' ');
    return registry.askTarget(method, `/registry/v3${path}`, headers, body);
  };
  const id = registry.service({ serviceName: 'old' });
  const instanceId = registry.instance(id);

  it.each([
    ['GET /microservices'],
    [`GET /microservices/${id}`],
    [`GET /microservices/${id}/tags`],
    [`GET /microservices/${id}/schemas`],
    [`GET /microservices/${id}/instances`],
    [`PUT /microservices/${id}/instances/${instanceId}/heartbeat`],
    [`PUT /microservices/${id}/instances/${instanceId}/status?value=UP`],
    ['GET /instances?appId=default&serviceName=old'],
    ['GET /existence?type=microservice&appId=default&serviceName=old&version=0.0.1'],
    [`GET /microservices/${id}/providers`],
  ])('does what version 4 does in the project default: %s', line => {
    expect(ask(line)).toMatchObject({ status: 200, text: registry.ask(line).text });
  });

  it('changes tags one by one, and unregisters several services', () => {
    ask(`POST /microservices/${id}/tags`, { body: { tags: { a: 'b', c: 'd' } } });
    ask(`PUT /microservices/${id}/tags/a?value=new`);
    ask(`DELETE /microservices/${id}/tags/c`);
    expect(ask(`GET /microservices/${id}/tags`).json).toEqual({ tags: { a: 'new' } });
    const other = registry.service({ serviceName: 'other' });
    const told = ask('DELETE /microservices', { body: { serviceIds: [other] } });
    expect(told.json.services).toEqual([{ serviceId: other }]);
  });

  it('has the same limits of a body', () => {
    const body = JSON.stringify({ pad: 'x'.repeat(5 * 1024) });
    expect(ask(`POST /microservices/${id}/instances`, { body }).json.detail).toBe(
      'http: request body too large',
    );
  });

  it('takes the domain from a header of its own first', () => {
    const domain = registry.service({ serviceName: 'theirs' }, { domain: 'theirs' });
    const told = (headers: Readonly<Record<string, string>>) =>
      ask(`GET /microservices/${domain}`, { headers }).status;
    expect(told({ 'x-tenant-name': 'theirs', 'x-domain-name': 'default' })).toBe(200);
    expect(told({ 'x-domain-name': 'theirs' })).toBe(200);
    expect(told({})).toBe(400);
    const headers = { 'x-tenant-name': 'theirs' };
    expect(registry.ask(`GET /microservices/${domain}`, { headers }).status).toBe(400);
  });

  it.each([
    ['POST /instances/action?type=query'],
    ['POST /dependencies'],
    ['PUT /instances/status'],
    ['GET /version'],
    ['GET /health'],
  ])('never had %s', line => {
    expect(ask(line, { body: {} }).status).toBe(404);
  });
});
