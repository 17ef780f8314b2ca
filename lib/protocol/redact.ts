/** Takes secrets out of a text. */
export type Blank = (text: string) => string;

/**
 * Blanks secrets in what may show what was sent: a gateway's page, an error with the request in it. They
 * are looked for as they are, in JSON, in JSON that is quoted in JSON, and in a URL.
 */
export function blankerOf(secrets: readonly string[]): Blank {
  return text =>
    secrets.flatMap(formsOf).reduce((rest, form) => rest.replaceAll(form, '***'), text);
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

/** Shorter values are no secrets, and would blank words. */
const shortestSecret = 4;

/** The secrets in headers: each value, and of `Bearer x` the `x` as well. */
export function secretsOf(headers: Readonly<Record<string, string>>): readonly string[] {
  const values = Object.values(headers);
  return values
    .concat(values.map(value => value.slice(value.indexOf(' ') + 1)))
    .filter(value => value.length >= shortestSecret);
}
