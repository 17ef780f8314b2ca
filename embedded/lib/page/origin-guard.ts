import type { IncomingHttpHeaders } from 'node:http';

/** The reason why a request to the page is rejected. */
export interface Rejection {
  readonly status: 403 | 415;
  readonly error: string;
}

const safeMethods = new Set(['GET', 'HEAD']);

/**
 * Keeps pages of other origins from reading or controlling the registry through a developer's
 * browser. Browsers send `Sec-Fetch-Site` and `Origin`; `Host` reveals a foreign name that resolves
 * to this machine; and browsers do not send a POST with JSON across origins without asking first.
 *
 * @param boundTo the address that the registry listens on
 * @returns undefined if the request is allowed
 */
export function rejectionOf(
  { method, headers }: { readonly method: string; readonly headers: IncomingHttpHeaders },
  boundTo: string,
): Rejection | undefined {
  if (isLoopback(boundTo) && !isLoopback(hostNameOf(headers.host)))
    return {
      status: 403,
      error: `Host "${headers.host ?? ''}" is not a name of this machine.`,
    };
  if (isOfAnotherSite(method, headers))
    return { status: 403, error: 'Requests of pages from other origins are refused.' };
  if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return { status: 415, error: 'Content-Type must be application/json.' };
  return undefined;
}

/** Links from other sites are allowed; all other cross-origin requests are not. */
function isOfAnotherSite(method: string, headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'] ?? 'none';
  const isLink = safeMethods.has(method) && headers['sec-fetch-mode'] === 'navigate';
  if (site !== 'same-origin' && site !== 'none' && !isLink) return true;
  const { origin } = headers;
  return origin !== undefined && hostOf(origin) !== headers.host?.toLowerCase();
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}

function hostNameOf(host = ''): string {
  return host.replace(/:\d*$/, '');
}

/** Returns whether a name or address always means this machine. */
export function isLoopback(name: string): boolean {
  const bare = name.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return (
    bare === '::1' ||
    bare === 'localhost' ||
    bare.endsWith('.localhost') ||
    /^127(\.\d{1,3}){3}$/.test(bare)
  );
}
