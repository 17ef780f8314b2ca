import { existsSync, readFileSync } from 'node:fs';
import type { Answer } from '../api/answer.js';
import { page } from './document.js';
import { icon } from './icon.js';
import { style } from './style.js';

/**
 * Nothing but what is served here is loaded, run or asked, nobody frames it, and nobody of another
 * origin reads it.
 */
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

const texts: ReadonlyMap<string, Answer> = new Map([
  ['', served('text/html', page)],
  ['style.css', served('text/css', style)],
  ['icon.svg', served('image/svg+xml', icon)],
]);

/** A file of the page; undefined when there is none. Its modules are what the compiler made of them. */
export function assetOf(path: readonly string[]): Answer | undefined {
  const [folder, name = ''] = path;
  if (folder !== 'browser') return texts.get(path.join('/'));
  if (path.length !== 2 || !/^[a-z]+(-[a-z]+)*\.js$/.test(name)) return undefined;
  const file = new URL(`./browser/${name}`, import.meta.url);
  if (!existsSync(file)) return undefined;
  // A map would lead to source that is not served.
  const source = readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
  return served('text/javascript', source);
}

function served(type: string, body: string): Answer {
  return { status: 200, headers: { 'Content-Type': `${type}; charset=utf-8` }, body };
}
