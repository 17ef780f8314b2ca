import type { IncomingHttpHeaders } from 'node:http';

/** Why a request to the page is turned away. */
export interface Rejection {
  readonly status: 403 | 415;
  readonly error: string;
}

const safeMethods = new Set(['GET', 'HEAD']);

/**
 * Keeps pages of other origins from reading or driving the registry through a developer's browser.
 * A browser tells by `Sec-Fetch-Site` and `Origin` who asks; a name that was made to resolve to this
 * machine shows in `Host`; and a POST of JSON is never sent across origins unasked.
 *
 * @param boundTo the address the registry listens on
 * @returns undefined for a request that may pass
 */
export function rejectionOf(
  { method, headers }: { readonly method: string; readonly headers: IncomingHttpHeaders },
  boundTo: string,
): Rejection | undefined {
  if (isLoopback(boundTo) && !isLoopback(hostNameOf(headers.host)))
    return {
      status: 403,
      error: `Host "${headers.host ?? ''}" is no name of this machine's loopback address.`,
    };
  if (isOfAnotherSite(method, headers))
    return { status: 403, error: 'A page of another origin may not ask here.' };
  if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return { status: 415, error: 'Content-Type must be application/json.' };
  return undefined;
}

/** A link from elsewhere may lead here; nothing else may come from there. */
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

/** True for the names and addresses by which a machine reaches itself alone. */
export function isLoopback(name: string): boolean {
  const bare = name.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return (
    bare === '::1' ||
    bare === 'localhost' ||
    bare.endsWith('.localhost') ||
    /^127(\.\d{1,3}){3}$/.test(bare)
  );
}
