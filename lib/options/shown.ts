const maxLength = 80;

/**
 * A value as it stands in an issue: short, on one line, and without the credentials of a URL.
 *
 * `tag` is what `Object.prototype.toString` says of the value; an object is told by it alone.
 */
export function shown(value: unknown, tag: string): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return cut(`${value}n`);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  return tag === '[object Object]' ? 'an object' : visible(cut(tag));
}

/** Text as JSON, cut to 80 characters, `user:password@` replaced by `***@`. */
export function quote(text: string): string {
  return visible(JSON.stringify(cut(withoutCredentials(text))));
}

/** Escapes what JSON leaves as it is and a log would break at or obey. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, character => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function withoutCredentials(text: string): string {
  return /:.*@/s.test(text) ? text.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1***@') : text;
}

function cut(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
