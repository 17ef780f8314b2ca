import type { Answer } from '../api/answer.js';
import { browserModules } from './browser-modules.js';
import { page } from './document.js';
import { icon } from './icon.js';
import { style } from './style.js';

/** The page loads nothing from other servers, cannot be framed, and is not readable from other origins. */
export const pageHeaders: Answer['headers'] = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

const assets: ReadonlyMap<string, Answer> = new Map([
  ['', served('text/html', page)],
  ['style.css', served('text/css', style)],
  ['icon.svg', served('image/svg+xml', icon)],
  ...Object.entries(browserModules).map(
    ([name, source]) => [`browser/${name}`, served('text/javascript', source)] as const,
  ),
]);

/** Returns a file of the page; undefined if there is none. */
export function assetOf(path: readonly string[]): Answer | undefined {
  return assets.get(path.join('/'));
}

function served(type: string, body: string): Answer {
  return { status: 200, headers: { 'Content-Type': `${type}; charset=utf-8` }, body };
}
