/** What an error says; those of Node itself may be of another realm, which no `instanceof` knows. */
export function messageOf(error: unknown): string {
  return textIn(error, 'message') ?? String(error);
}

/** The code of an error, such as ENOENT; undefined for one without. */
export function codeOf(error: unknown): string | undefined {
  return textIn(error, 'code');
}

function textIn(error: unknown, name: 'message' | 'code'): string | undefined {
  if (typeof error !== 'object' || error === null || !(name in error)) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}
