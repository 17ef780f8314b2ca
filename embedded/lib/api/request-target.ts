import type { Answer } from './answer.js';

/** Returns the unescaped path of a request target; undefined if an escape is malformed. */
export function pathOf(target: string): string | undefined {
  // The target of a request to a proxy contains the server.
  const [path = ''] = target.replace(/^http:\/\/[^/?]*/i, '').split('?');
  if (!path.includes('%')) return path;
  if (/%(?![0-9a-f]{2})/i.test(path)) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replaceAll(/%[0-9a-f]{2}/gi, '\uFFFD');
  }
}

/**
 * Returns the redirect for a path with dot segments or double slashes, as Go's ServeMux does;
 * undefined for a clean path.
 */
export function redirect(method: string, target: string, path: string): Answer | undefined {
  // A target that is no path is not redirected: `*`, or the host of a tunnel.
  if (!path.startsWith('/')) return undefined;
  const cleaned = cleanPath(path);
  if (cleaned === path) return undefined;
  const query = target.includes('?') ? target.slice(target.indexOf('?')) : '';
  const location = encodeURI(cleaned) + query;
  const headers = { Location: location };
  if (method !== 'GET' && method !== 'HEAD') return { status: 301, headers, body: '' };
  return {
    status: 301,
    headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8' },
    body: `<a href="${location.replaceAll('&', '&amp;')}">Moved Permanently</a>.\n\n`,
  };
}

function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') kept.push(segment);
  }
  const cleaned = `/${kept.join('/')}`;
  return path.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned;
}

/** Go's answer to a malformed request. */
export const badRequest: Answer = {
  status: 400,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' },
  body: '400 Bad Request',
};

/** Returns whether the server complains about a target (pkg/validate/url.go). */
export function isSuspicious(target: string): boolean {
  return target.length >= 2048 || /[;&?+@]$/.test(target) || target.includes('//');
}

/**
 * Returns an answer with the server's complaint in front of its body, and status 400 in any case
 * (server/interceptor/access/access.go).
 */
export function complain(target: string, { body }: Answer): Answer {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
  return { status: 400, headers, body: `Invalid Request URI ${target}${body}` };
}
