import { operationNames, routeOf, templateOf } from '../../lib/api/operations.js';
import { body, broken } from './bodies.js';
import type { Random } from './random.js';
import { knownIds, text } from './strange-values.js';

const registry = '/v4/:project/registry';
const tags = `${registry}/microservices/:serviceId/tags`;

const known: readonly (readonly [method: string, path: string])[] = [
  ...operationNames.map(routeOf).map(({ method, path }) => [method, path] as const),
  ['POST', '/v4/token'],
  ['GET', `${registry}/health/readiness`],
  ['GET', '/version'],
  ['GET', '/health'],
  ['GET', '/metrics'],
  ['DELETE', `${registry}/microservices`],
  ['PUT', `${tags}/:key`],
  ['DELETE', `${tags}/:key`],
  ['PUT', `${registry}/instances/status`],
  ['POST', `${registry}/dependencies`],
  ['PUT', `${registry}/dependencies`],
  ['GET', '/v4/:project/govern/microservices'],
  ['GET', '/v4/:project/govern/microservices/:serviceId'],
  ['GET', '/v4/:project/govern/relations'],
  ['GET', '/v4/:project/govern/apps'],
  ['GET', '/v4/:project/govern/statistics'],
  ['GET', '/v4/:project/admin/dump'],
  ['GET', '/v4/:project/admin/clusters'],
  ['GET', '/v4/:project/admin/alarms'],
  ['DELETE', '/v4/:project/admin/alarms'],
  ['GET', `${registry}/microservices/:serviceId/watcher`],
  ['GET', templateOf('heartbeat')],
];

const methods = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'CONNECT',
  'HEAD',
] as const;
const projects = ['default', 'default', 'default', 'p1'] as const;
const domains = ['default', 'tenant-a', 'tenant-b', ' ', 'a/b', 'Ü', '__proto__'] as const;

const queryNames = [
  'appId',
  'serviceName',
  'version',
  'env',
  'type',
  'value',
  'force',
  'rev',
  'tags',
  'noCache',
  'withShared',
  'withSchema',
  'options',
  'noSelf',
  'serviceId',
  'schemaId',
] as const;
const queryValues = ['microservice', 'schema', 'query', 'UP', '1', 'true', 'all', '1.0.0'] as const;

/** The parts of a request as bytes. */
export interface FuzzRequest {
  readonly method: string;
  /** Characters stand for bytes. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Returns a request that is valid HTTP with arbitrary content. */
export function request(random: Random): FuzzRequest {
  const [method, path] = known[random.below(known.length)] ?? ['GET', '/version'];
  const payload = body(random, path);
  return {
    method: random.percent(92) ? method : random.pick(methods),
    target: target(random, path),
    headers: [...headers(random), ['Content-Length', String(payload.length)]],
    body: payload,
  };
}

/** A request as bytes. */
export function bytesOf({ method, target, headers, body }: FuzzRequest): Buffer {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/**
 * Returns bytes that may not be valid HTTP: no request, a broken one, or several with wrong
 * lengths.
 */
export function bytes(random: Random): Buffer {
  if (random.percent(10)) return random.bytes(1 + random.below(300));
  const requests = [request(random), ...random.several(2, () => request(random))];
  // To read a sequence of answers, one must know which of them belong to HEAD.
  const told = requests.filter(({ method }) => method !== 'HEAD');
  const whole = Buffer.concat(told.map(one => bytesOf(lying(random, one))));
  return random.percent(50) ? broken(random, whole) : whole;
}

function lying(random: Random, honest: FuzzRequest): FuzzRequest {
  const length = String(honest.body.length + random.below(3) - 1);
  const lies: readonly [FuzzRequest['headers'], ...FuzzRequest['headers'][]] = [
    honest.headers,
    [...honest.headers, ['Transfer-Encoding', 'chunked']],
    [...honest.headers.slice(0, -1), ['Transfer-Encoding', random.pick(['chunked', 'gzip', ' '])]],
    [...honest.headers.slice(0, -1), ['Content-Length', random.pick([length, '-1', '1e3', ''])]],
    honest.headers.slice(1),
    [...honest.headers, ['X-Long', 'x'.repeat(random.pick([30_000, 40_000]))]],
    [...honest.headers, ['X-Control', random.bytes(8).toString('latin1')]],
    [['Host', 'x'], ...Array.from({ length: 300 }, () => ['X', '1'] as const)],
  ];
  return { ...honest, headers: random.pick(lies) };
}

function target(random: Random, template: string): string {
  const version3 = random.percent(15) ? '/registry/v3' : undefined;
  const path = template
    .replace(registry, version3 ?? registry)
    .replace(/:(\w+)/g, (_, name: string) => segment(random, name));
  const whole = `${random.percent(95) ? path : mangled(random, path)}${query(random)}`;
  return random.percent(98) ? whole : `http://127.0.0.1${whole}`;
}

function segment(random: Random, name: string): string {
  if (name === 'project') return random.pick(projects);
  if (random.percent(92)) return random.pick(knownIds);
  return escaped(random, text(random)) || 'x';
}

/** Escapes a value as a client does, or leaves as much unescaped as a request line allows. */
function escaped(random: Random, value: string): string {
  const bytes = Buffer.from(value);
  if (random.percent(70)) return encodeURIComponent(bytes.toString());
  return bytes.toString('latin1').replaceAll(/[^!-~\u0080-\u00ff]/g, '%20');
}

function mangled(random: Random, path: string): string {
  const at = random.below(path.length) + 1;
  const strange = random.pick([
    '/',
    '//',
    '/./',
    '/../',
    '%',
    '%2F',
    '%00',
    '%ff',
    '%zz',
    ';',
    ':',
  ]);
  return path.slice(0, at) + strange + path.slice(at);
}

function query(random: Random): string {
  if (random.percent(40))
    return random.percent(97) ? '' : random.pick(['?', '?&', '?=', '??', '?%']);
  const pairs = random.several(5, () => {
    const value = random.percent(60) ? random.pick(queryValues) : escaped(random, text(random));
    return `${random.pick(queryNames)}=${value}`;
  });
  return `?${pairs.join('&')}`;
}

function headers(random: Random): FuzzRequest['headers'] {
  const optional: FuzzRequest['headers'] = [
    ['X-Domain-Name', Buffer.from(random.pick(domains)).toString('latin1')],
    ['X-Tenant-Name', random.pick(['default', 'tenant-a'])],
    ['X-ConsumerId', random.pick(knownIds)],
    ['Accept-Encoding', random.pick(['gzip', 'gzip;q=0', 'br, gzip', '*', ';;,'])],
    ['Origin', random.pick(['http://page', 'null', ''])],
    ['Access-Control-Request-Method', random.pick(methods)],
    ['Access-Control-Request-Headers', random.pick(['origin', 'X-Other', ',,'])],
    ['Content-Type', random.pick(['application/json', 'text/xml', ';'])],
    ['Authorization', random.pick(['Bearer x.y.z', 'Basic', ''])],
  ];
  const rare: FuzzRequest['headers'] = [
    ['Upgrade', random.pick(['h2c', 'websocket', 'x, websocket'])],
    ['Connection', random.pick(['Upgrade', 'close', 'keep-alive, Upgrade'])],
    ['Sec-WebSocket-Version', random.pick(['13', '8', ''])],
    ['Sec-WebSocket-Key', random.pick(['dGhlIHNhbXBsZSBub25jZQ==', 'x', ''])],
    ['Sec-WebSocket-Extensions', random.pick(['permessage-deflate', ';;', 'a=b'])],
    ['Sec-WebSocket-Protocol', random.pick(['chat', ',,', 'a a'])],
    ['Expect', random.pick(['100-continue', 'x'])],
  ];
  const isUpgrade = random.percent(3);
  return [
    ['Host', '127.0.0.1'],
    ...optional.filter(() => random.percent(20)),
    ...rare.filter(() => random.percent(isUpgrade ? 70 : 1)),
  ];
}
