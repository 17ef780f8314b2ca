import type { HttpReply } from './send.js';

/** Takes secrets out of a text. */
export type Blank = (text: string) => string;

/** Longest beginning of a text that is looked at, in characters; far more than an error shows. */
const longestText = 65_536;
/** A secret that was cut off is blanked where so much of its beginning is left; a shorter one says little. */
const shortestBeginning = 8;

/**
 * Blanks secrets in what may show what was sent: a gateway's page, an error with the request in it. They are
 * found as they are and as JSON, a URL or HTML would write them, once more quoted in JSON, mixed, and cut off.
 * Only the beginning of a text is answered: nobody shows more.
 */
export function blankerOf(secrets: readonly string[]): Blank {
  return text => secrets.reduce(withoutSecret, text.slice(0, longestText));
}

/** What an answer may show: the credentials and the secrets that were sent for it, or a secret of its own. */
export interface Sent {
  readonly credentials: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[] | undefined;
  /** Whether a success is a secret itself. */
  readonly isAnswerSecret?: boolean | undefined;
}

/**
 * Blanks what one answer must not show, and `others`, which are asked for by a failure alone. A page is
 * shown also where a token was expected: it tells that this is not the registry.
 */
export function blankerFor(
  { credentials, secrets = [], isAnswerSecret = false }: Sent,
  { status, body }: HttpReply,
  others: (() => readonly string[]) | undefined,
): Blank {
  const isSecret = isAnswerSecret && status < 300 && !/^\s*</.test(body);
  if (isSecret) return () => '***';
  return text => blankerOf([...secretsOf(credentials), ...secrets, ...(others?.() ?? [])])(text);
}

function withoutSecret(text: string, secret: string): string {
  if (secret === '') return text;
  const rest = plainForms(secret).reduce((left, form) => left.replaceAll(form, '***'), text);
  return withoutSpelled(rest, Array.from(secret, spellings));
}

function plainForms(secret: string): readonly string[] {
  const inJson = escaped(secret);
  return [escaped(inJson), inJson, secret];
}

/** As it stands between the quotes of JSON; twice where JSON is quoted in JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function withoutSpelled(text: string, characters: readonly (readonly string[])[]): string {
  const [first = []] = characters;
  const least = Math.min(characters.length, shortestBeginning);
  let rest = '';
  let at = 0;
  while (at < text.length) {
    const { end, count } = first.some(form => text.startsWith(form, at))
      ? spelledAt(text, at, characters)
      : { end: at, count: 0 };
    rest += count >= least ? '***' : text.charAt(at);
    at = count >= least ? end : at + 1;
  }
  return rest;
}

/** How many characters of a secret stand there, one after the other, and where they end. */
function spelledAt(text: string, at: number, characters: readonly (readonly string[])[]) {
  let end = at;
  let count = 0;
  for (const forms of characters) {
    const form = forms.find(each => text.startsWith(each, end));
    if (form === undefined) break;
    end += form.length;
    count += 1;
  }
  return { end, count };
}

const named: Readonly<Record<string, readonly string[]>> = {
  '"': ['&quot;'],
  '&': ['&amp;'],
  "'": ['&apos;'],
  '<': ['&lt;'],
  '>': ['&gt;'],
  '/': [String.raw`\/`],
  ' ': ['+'],
};

/** What a character may be written as, the longest first. */
function spellings(character: string): readonly string[] {
  if (/[A-Za-z0-9]/.test(character)) return [character];
  const code = character.codePointAt(0) ?? 0;
  const units = character
    .split('')
    .map(unit => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
  const exact = [character, escaped(character), escaped(escaped(character)), `&#${code};`];
  const anyCase = [percent(character), units, escaped(units), `&#x${code.toString(16)};`];
  return [...exact, ...anyCase, ...anyCase.map(upperHex), ...(named[character] ?? [])].toSorted(
    (left, right) => right.length - left.length,
  );
}

function percent(character: string): string {
  return Buffer.from(character)
    .toString('hex')
    .replace(/../g, byte => `%${byte}`);
}

function upperHex(form: string): string {
  return form.replace(/[0-9a-f]{2,}/g, digits => digits.toUpperCase());
}

/** Shorter values are no secrets, and would blank words. */
const shortestSecret = 4;

/** The secrets in headers: each value, of `Bearer x` the `x`, of `Basic x` what it says, and the parts of a JWT. */
export function secretsOf(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(headers)
    .flatMap(secretsIn)
    .filter(value => value.length >= shortestSecret);
}

function secretsIn(value: string): readonly string[] {
  const [, scheme, credentials] = /^([A-Za-z]+) (\S+)$/.exec(value) ?? [];
  if (credentials === undefined) return [value, ...jwtParts(value)];
  if (scheme?.toLowerCase() !== 'basic') return [credentials, ...jwtParts(credentials)];
  const pair = Buffer.from(credentials, 'base64').toString();
  return [credentials, pair, pair.slice(pair.indexOf(':') + 1)];
}

/** Claims and signature; the header of a token is no secret, and like that of many others. */
function jwtParts(token: string): readonly string[] {
  const [, ...parts] = token.split('.');
  return parts.length === 2 ? parts.filter(({ length }) => length >= shortestBeginning) : [];
}
