import type { ProxyServer } from '../options/proxy-routes.js';

type Proxy = Pick<ProxyServer, 'host' | 'port'>;

/** A failure between here and a proxy: `ERR_PROXY_UNREACHABLE`, with the code of its cause as text. */
export function proxyUnreachable(proxy: Proxy, cause: unknown): Error {
  const code: unknown =
    typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'code') : undefined;
  const reason = typeof code === 'string' ? `: ${code}` : '';
  return failure('ERR_PROXY_UNREACHABLE', `${nameOf(proxy)}${reason}`, { cause });
}

/** What a proxy said to CONNECT, where it is no success: `ERR_PROXY_REFUSED_407` by its status. */
export function proxyRefusal(proxy: Proxy, status: number): Error {
  return failure(`ERR_PROXY_REFUSED_${status}`, nameOf(proxy));
}

function nameOf({ host, port }: Proxy): string {
  return `proxy ${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function failure(code: string, message: string, options?: ErrorOptions): Error {
  return Object.assign(new Error(message, options), { code });
}
