/**
 * Reads a JSON object; undefined when the text is anything else. Keys that would become the prototype of
 * whatever an answer is copied into are left out.
 */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // Without an escape there is one way to write that key; the reviver is slow, and seldom needed.
    const isPlain = !text.includes('__proto__') && !text.includes('\\u');
    const value: unknown = isPlain ? JSON.parse(text) : JSON.parse(text, withoutPrototype);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function withoutPrototype(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

/** Whether a value is an object with named fields. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
