import type { Attributes } from '@opentelemetry/api';

// By the semantic conventions 1.45: stable those of HTTP and URLs, in development `service.peer.name`.

/** Methods that have a name of their own in spans; another one could have any text. */
const knownMethods: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);

/** Returns the attributes of a method, and the word for it in the name of a span. */
export function methodAttributes(method: string): { word: string; attributes: Attributes } {
  if (knownMethods.has(method))
    return { word: method, attributes: { 'http.request.method': method } };
  const attributes = { 'http.request.method': '_OTHER', 'http.request.method_original': method };
  return { word: 'HTTP', attributes };
}

/** Returns the attributes of the URL that a request goes to; none of a text that is no URL, which cannot be sent. */
export function urlAttributes(text: string): Attributes {
  if (!URL.canParse(text)) return {};
  const url = new URL(text);
  const port = url.port === '' ? portOf[url.protocol] : Number(url.port);
  return {
    'url.full': redacted(url),
    'server.address': url.hostname.replace(/^\[|\]$/g, ''),
    ...(port !== undefined && { 'server.port': port }),
  };
}

const portOf: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** The parameters that the conventions name, and others that are likely to be secrets. */
const secretParameter =
  /^(?:awsaccesskeyid|sig|code)$|token|secret|passw|signature|api[-_]?key|credential|^auth/i;

function redacted(url: URL): string {
  const shown = new URL(url);
  if (shown.username !== '') shown.username = 'REDACTED';
  if (shown.password !== '') shown.password = 'REDACTED';
  shown.search = shown.search.replace(
    /([?&])([^=&]*)=[^&]*/g,
    (parameter: string, start: string, name: string) =>
      secretParameter.test(nameOf(name)) ? `${start}${name}=REDACTED` : parameter,
  );
  return shown.href;
}

/** Returns the name of a parameter without its escapes, as far as they can be read. */
function nameOf(escaped: string): string {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}

/**
 * Returns the attributes of the service that is called. `peer.service` is deprecated for `service.peer.name`, but
 * it is what most service maps still read.
 */
export function peerAttributes(serviceName: string): Attributes {
  return { 'service.peer.name': serviceName, 'peer.service': serviceName };
}

/** Returns the word for an error: its code, else its name. */
export function errorType(error: unknown): string {
  const { code, name }: { readonly code?: unknown; readonly name?: unknown } = Object(error);
  if (typeof code === 'string' && code !== '') return code;
  return typeof name === 'string' && name !== '' ? name : '_OTHER';
}
