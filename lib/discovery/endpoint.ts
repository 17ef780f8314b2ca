import type { Endpoint } from './candidate.js';

/** `scheme://host:port[/][?query]`, of which the host has no user info and a colon only in brackets. */
const grammar = /^([a-z][a-z0-9+.-]*):\/\/([\w.-]+|\[[\da-f:.]+\]):(\d{1,5})\/?(?:\?(.*))?$/i;

/** The part of a URL before the path in which nothing has to be escaped. */
const plainPath = /^[\w/.~!$&'()*+,;=:@%-]*$/;

/**
 * Reads an endpoint of an instance. `sslEnabled=true` makes `rest` and `http` secure, `urlPrefix` is the
 * beginning of each path; other parameters are ignored, as java-chassis does (URIEndpointObject.java).
 * Returns undefined for text that is no endpoint, or has no host or port that can be called.
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, rawScheme = '', authority = '', digits = '', query = ''] = grammar.exec(text) ?? [];
  const port = Number(digits);
  // A host such as 300.1.2.3 or [1::2::3] has the form of one and is none.
  if (port < 1 || port > 65_535 || !URL.canParse(`http://${authority}/`)) return undefined;
  const prefix = prefixOf(query);
  if (prefix === undefined) return undefined;
  const scheme = rawScheme.toLowerCase();
  const isSslEnabled = /(?:^|&)sslEnabled=true(?:&|$)/i.test(query);
  return {
    text,
    scheme,
    host: authority.replace(/^\[(.*)\]$/, '$1'),
    port,
    isSecure: scheme === 'https' || (isHttp(scheme) && isSslEnabled),
    prefix,
  };
}

function prefixOf(query: string): string | undefined {
  if (!query.includes('urlPrefix')) return '';
  const path = new URLSearchParams(query).get('urlPrefix') ?? '';
  if (!plainPath.test(path)) return undefined;
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}

function isHttp(scheme: string): boolean {
  return scheme === 'rest' || scheme === 'http';
}

/** Returns the URL of an endpoint without its prefix: `rest` becomes `http` or `https`. */
export function urlOf({ scheme, host, port, isSecure }: Endpoint): string {
  const spoken = isSecure ? 'https' : isHttp(scheme) ? 'http' : scheme;
  return `${spoken}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Returns whether a caller that speaks a scheme can call an endpoint, of which the text can be read; `https` stands for
 * all secure ones.
 */
export function speaks(scheme: string, text: string): boolean {
  const isOfScheme = text.slice(0, text.indexOf(':')).toLowerCase() === scheme;
  return isOfScheme || (scheme === 'https' && parseEndpoint(text)?.isSecure === true);
}

/**
 * Returns the path and query of a request with the endpoint's prefix before them, unless they begin with it
 * (RestClientTransportContextFactory.java of java-chassis). Every other character stays as it is.
 */
export function withPrefix(prefix: string, path: string): string {
  if (prefix === '') return path;
  const isThere = path.startsWith(prefix) && /^(?:$|[/?#])/.test(path.slice(prefix.length));
  return isThere ? path : prefix + path;
}
