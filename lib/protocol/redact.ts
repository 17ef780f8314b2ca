import type { HttpReply, Texts } from './wire.js';

/** Removes secrets from a text. */
export type Blank = (text: string) => string;

const blanked = '***';
/** Longest part of a text that is searched and returned, in characters; far more than an error shows. */
const longestText = 65_536;
/** Shorter values are no secrets: blanking them would blank ordinary words. */
const shortestSecret = 4;
/** So much of a secret is enough to recognize it, also where the rest was cut off. */
const beginningLength = 8;

/** The secrets of a request, and whether its answer is one. */
export interface Sent {
  readonly credentials: Texts;
  readonly secrets?: readonly string[] | undefined;
  readonly isAnswerSecret?: boolean | undefined;
}

/**
 * Returns a function that blanks what the text of an answer must not show. `others` returns further secrets;
 * it is called only when a text is blanked. A page that comes instead of a secret answer is shown:
 * it tells that some other server answered.
 */
export function blankerFor(
  { credentials, secrets = [], isAnswerSecret = false }: Sent,
  { status, body }: HttpReply,
  others: () => readonly string[] = () => [],
): Blank {
  const isSecret = isAnswerSecret && status < 300 && !/^\s*</.test(body);
  if (isSecret) return () => blanked;
  return text => blankerOf([...secretsOf(credentials), ...secrets, ...others()])(text);
}

/**
 * Returns a function that cuts a text off where the beginning of a secret occurs. If it occurs only once
 * percent-encoding and the escapes of JSON and HTML are decoded, the whole text is blanked: in whatever way
 * a gateway writes what it was sent, nothing of a secret is shown.
 */
export function blankerOf(secrets: readonly string[]): Blank {
  const beginnings = secrets.filter(secret => secret !== '').flatMap(beginningsOf);
  return text => {
    const searched = text.slice(0, longestText);
    const found = beginnings.map(each => searched.indexOf(each)).filter(at => at >= 0);
    const clear = found.length === 0 ? searched : searched.slice(0, Math.min(...found));
    const isHidden = decodings(clear).some(each => beginnings.some(it => each.includes(it)));
    if (isHidden) return blanked;
    return found.length === 0 ? clear : `${clear}${blanked}`;
  };
}

/** Returns how a secret begins, and how it does after decoding: its own characters may look like escapes. */
function beginningsOf(secret: string): readonly string[] {
  const beginning = secret.slice(0, beginningLength);
  const decoded = [secret, beginning]
    .flatMap(decodings)
    .map(each => each.slice(0, beginningLength))
    .filter(each => each.length >= shortestSecret);
  return [...new Set([beginning, ...decoded])];
}

/** Returns a text as it is, and after each of nine steps of decoding: JSON may be quoted in JSON in a URL. */
function decodings(text: string): readonly string[] {
  const steps = [...decoders, ...decoders, ...decoders];
  const all = [text];
  for (const decode of steps) all.push(decode(all.at(-1) ?? ''));
  return all;
}

const controls: Texts = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const entities: Texts = { quot: '"', amp: '&', apos: "'", lt: '<', gt: '>' };

/** Decode percent-encoding (`+` is a space in a form), the escapes of JSON, and those of HTML. */
const decoders: readonly ((text: string) => string)[] = [
  text =>
    text
      .replaceAll('+', ' ')
      .replace(/(%[0-9a-f]{2})+/gi, run => Buffer.from(run.replaceAll('%', ''), 'hex').toString()),
  text =>
    text.replace(
      /\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|(.))/gis,
      (_, unit?: string, byte?: string, escaped = '') =>
        characterOf(unit ?? byte, 16) ?? controls[escaped] ?? escaped,
    ),
  text =>
    text.replace(
      /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(quot|amp|apos|lt|gt));/gi,
      (_, hex?: string, decimal?: string, name = '') =>
        characterOf(hex, 16) ?? characterOf(decimal, 10) ?? entities[name.toLowerCase()] ?? '',
    ),
];

function characterOf(digits: string | undefined, base: number): string | undefined {
  if (digits === undefined) return undefined;
  const code = Number.parseInt(digits, base);
  return code <= 0x10_ffff ? String.fromCodePoint(code) : '';
}

/** Returns the secrets in headers: values, the token of `Bearer`, the pair of `Basic`, parts of a JWT. */
export function secretsOf(headers: Texts): readonly string[] {
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

/** Returns claims and signature; the header of a token is no secret, and the same in many tokens. */
function jwtParts(token: string): readonly string[] {
  const [, ...parts] = token.split('.');
  return parts.length === 2 ? parts.filter(({ length }) => length >= beginningLength) : [];
}
