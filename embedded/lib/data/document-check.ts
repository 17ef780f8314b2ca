/** Looks at a part of a document and notes what is wrong with it. */
export type Check = (value: unknown, path: string, issues: string[]) => void;

/** The fields an object may have, and how each is checked. */
export type Fields = Readonly<Record<string, Check>>;

const longest = 60;

function kindOf(what: string, fits: (value: unknown) => boolean): Check {
  return (value, path, issues) => {
    if (!fits(value)) issues.push(`${path} must be ${what}, got ${shown(value)}`);
  };
}

/** Any text. */
export const text: Check = kindOf('a text', value => typeof value === 'string');

/** A text with something in it. */
export const someText: Check = kindOf(
  'a text that is not empty',
  value => typeof value === 'string' && value !== '',
);

/** What a segment of a path can hold. */
export const segment: Check = kindOf(
  'a text that is not empty and has no slash',
  value => typeof value === 'string' && /^[^/]+$/.test(value),
);

/** A moment as records have it. */
export const seconds: Check = kindOf(
  'seconds since 1970 as a text',
  value => typeof value === 'string' && /^\d{1,15}$/.test(value),
);

/** A number of 32 bits, as the registry's are. */
export const int32: Check = kindOf(
  'a whole number of 32 bits',
  value => typeof value === 'number' && (value | 0) === value,
);

/** A number that counts something. */
export const count: Check = kindOf(
  'a whole number from 0 on',
  value => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
);

/** This very number, for formats. */
export function exactly(wanted: number): Check {
  return kindOf(String(wanted), value => value === wanted);
}

/** A list, and each item of it. */
export function listOf(item: Check): Check {
  return (value, path, issues) => {
    if (!Array.isArray(value)) issues.push(`${path} must be a list, got ${shown(value)}`);
    else for (const [at, one] of value.entries()) item(one, `${path}[${at}]`, issues);
  };
}

/** An object with any keys, and each value in it. */
export function mapOf(item: Check): Check {
  return (value, path, issues) => {
    const entries = entriesOf(value, path, issues);
    for (const [key, one] of entries) item(one, `${path}[${JSON.stringify(key)}]`, issues);
  };
}

/** An object with these fields and no others; the required ones must be there. Undefined is absent. */
export function record(fields: Fields, required: readonly string[] = []): Check {
  return (value, path, issues) => {
    const prefix = path === '' ? '' : `${path}.`;
    const entries = entriesOf(value, path, issues).filter(([, one]) => one !== undefined);
    for (const [key, one] of entries) {
      const check = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (check === undefined) issues.push(`${prefix}${key} is no field that there is`);
      else check(one, `${prefix}${key}`, issues);
    }
    if (!isObject(value)) return;
    const present = new Set(entries.map(([key]) => key));
    for (const key of required) if (!present.has(key)) issues.push(`${prefix}${key} is missing`);
  };
}

/** What a check takes, or null. */
export function orNull(check: Check): Check {
  return (value, path, issues) => {
    if (value !== null) check(value, path, issues);
  };
}

function entriesOf(value: unknown, path: string, issues: string[]): [string, unknown][] {
  if (isObject(value)) return Object.entries(value);
  issues.push(`${path || 'the document'} must be an object, got ${shown(value)}`);
  return [];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const whole = JSON.stringify(value) ?? 'nothing';
  return whole.length > longest ? `${whole.slice(0, longest)}…` : whole;
}
