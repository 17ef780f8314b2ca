import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from './answer.js';

const methods = new Set(['GET', 'POST', 'PUT', 'DELETE', 'UPDATE']);
const headers = new Set(['origin', 'accept', 'content-type', 'x-domain-name', 'x-consumerid']);

/** The headers that let a page of any origin read an answer (server/interceptor/cors/cors.go). */
export function corsHeaders({ origin }: IncomingHttpHeaders): Answer['headers'] {
  const allowed = { 'Access-Control-Allow-Origin': '*' };
  return { Vary: 'Origin', ...(origin === undefined ? {} : allowed) };
}

/** The answer to OPTIONS, of any path. */
export function preflight(request: IncomingHttpHeaders): Answer {
  const method = (request['access-control-request-method'] ?? '').toUpperCase();
  const wanted = request['access-control-request-headers'] ?? '';
  const names = wanted.split(',').map(name => name.trim().toLowerCase());
  const isAllowed =
    methods.has(method) && (wanted === '' || names.every(name => headers.has(name)));
  const allowed = {
    'Access-Control-Allow-Methods': method,
    ...(wanted === '' ? {} : { 'Access-Control-Allow-Headers': wanted }),
  };
  return { status: 200, headers: isAllowed ? allowed : {}, body: '' };
}
