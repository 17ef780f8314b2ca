import type { Answer } from './answer.js';

/** The path of a request target without its escapes; undefined when an escape is malformed. */
export function pathOf(target: string): string | undefined {
  // A proxy's request names the server too.
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
 * Sends a path with dot segments or doubled slashes to where it leads, as Go's ServeMux does;
 * undefined for a path that is as it should be.
 */
export function redirect(method: string, target: string, path: string): Answer | undefined {
  // What is no path leads nowhere: an asterisk, or what a client wants a tunnel to.
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

/** Go's answer to what it cannot read as a request. */
export const badRequest: Answer = {
  status: 400,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' },
  body: '400 Bad Request',
};

/** True for a target that the server complains about (pkg/validate/url.go). */
export function isSuspicious(target: string): boolean {
  return target.length >= 2048 || /[;&?+@]$/.test(target) || target.includes('//');
}

/**
 * The server's complaint about a target stands before the answer it gives all the same: the status
 * is 400 whatever the rest says (server/interceptor/access/access.go).
 */
export function complain(target: string, { body }: Answer): Answer {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
  return { status: 400, headers, body: `Invalid Request URI ${target}${body}` };
}
