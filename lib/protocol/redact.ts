import type { HttpReply } from './send.js';

/**
 * Blanks secrets in an answer that may show what was sent: a gateway's page, an error with the request
 * in it. They are looked for as they are, in JSON, in JSON that is quoted in JSON, and in a URL.
 */
export function withoutSecrets(reply: HttpReply, secrets: readonly string[]): HttpReply {
  return { ...reply, body: blanked(reply.body, secrets) };
}

function blanked(text: string, secrets: readonly string[]): string {
  return secrets.flatMap(formsOf).reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

function formsOf(secret: string): readonly string[] {
  if (secret === '') return [];
  const inJson = escaped(secret);
  return [escaped(inJson), inJson, secret, encodeURIComponent(secret)];
}

/** As it stands between the quotes of JSON; twice where JSON is quoted in JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The secrets in headers: each value, and of `Bearer x` the `x` as well. */
export function secretsOf(headers: Readonly<Record<string, string>>): readonly string[] {
  const values = Object.values(headers);
  return values.concat(values.map(value => value.slice(value.indexOf(' ') + 1)));
}
