/**
 * Returns the message of a thrown value. An error of Node may belong to another realm, where
 * `instanceof` fails.
 */
export function messageOf(error: unknown): string {
  return textIn(error, 'message') ?? String(error);
}

/** Returns the code of an error, such as ENOENT; undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  return textIn(error, 'code');
}

function textIn(error: unknown, name: 'message' | 'code'): string | undefined {
  if (typeof error !== 'object' || error === null || !(name in error)) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}
