import type { HttpReply } from './send.js';

/**
 * Blanks secrets in an answer that may show what was sent: a gateway's page, an error with the request
 * in it. They are looked for as they are, in JSON and in a URL.
 */
export function withoutSecrets(reply: HttpReply, secrets: readonly string[]): HttpReply {
  return { ...reply, body: blanked(reply.body, secrets) };
}

function blanked(text: string, secrets: readonly string[]): string {
  return secrets.flatMap(formsOf).reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

function formsOf(secret: string): readonly string[] {
  if (secret === '') return [];
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
}

/** The secrets in headers: each value, and of `Bearer x` the `x` as well. */
export function secretsOf(headers: Readonly<Record<string, string>>): readonly string[] {
  const values = Object.values(headers);
  return values.concat(values.map(value => value.slice(value.indexOf(' ') + 1)));
}
