import { entries, items, reject, type Field } from './field.js';

/**
 * Each check returns the value of an option. For an absent option it returns undefined; for an invalid
 * one it adds an issue and returns undefined too, so a default may stand in: it is never used.
 */

/** A rule for a text. */
export interface TextRule {
  /** The rule in words that follow the path of the option. */
  readonly must: string;
  readonly accepts: (text: string) => boolean;
}

/** Returns the option as text. */
export function text(field: Field, rule: TextRule): string | undefined {
  const isValid = (value: unknown): value is string =>
    typeof value === 'string' && rule.accepts(value);
  return check(field, rule.must, isValid);
}

/** Returns the option as text. An absent one is an issue; returns '' after an issue. */
export function requiredText(field: Field, rule: TextRule): string {
  if (field.value === undefined) reject(field, rule.must);
  return text(field, rule) ?? '';
}

/** Returns the option as a number between two bounds, both included. */
export const number = numeric('a number', Number.isFinite);

/** Returns the option as a whole number between two bounds, both included. */
export const wholeNumber = numeric('a whole number', Number.isInteger);

/** Returns the option as a whole number of milliseconds between two bounds, both included. */
export const wholeMilliseconds = numeric('a whole number of milliseconds', Number.isInteger);

/** Returns the option in milliseconds, without a fraction of a second, between two bounds. */
export const wholeSeconds = numeric('a whole number of seconds', value => value % 1_000 === 0);

function numeric(kind: string, accepts: (value: number) => boolean) {
  return (field: Field, min: number, max: number): number | undefined =>
    check(
      field,
      `must be ${kind} from ${min} to ${max}`,
      (value): value is number =>
        typeof value === 'number' && value >= min && value <= max && accepts(value),
    );
}

/** Returns the option as a boolean; texts, 0 and 1 are not accepted. */
export function flag(field: Field): boolean | undefined {
  return check(field, 'must be true or false', value => typeof value === 'boolean');
}

/** Returns the option as one of the words. */
export function oneOf<Word extends string>(field: Field, words: readonly Word[]): Word | undefined {
  const must = `must be one of ${words.map(word => JSON.stringify(word)).join(', ')}`;
  return check(field, must, (value): value is Word => words.some(word => word === value));
}

/** Returns a copy of a list of texts. More than `most` are an issue. */
export function texts(
  field: Field,
  rule: TextRule,
  most = Infinity,
): readonly string[] | undefined {
  const list = items(field)?.map(item => requiredText(item, rule));
  limit(field, list?.length, most);
  return list;
}

/** Returns the texts of an object by key, without undefined ones. More than `most` are an issue. */
export function textByKey(
  field: Field,
  rules: { readonly key?: TextRule; readonly value: TextRule; readonly most?: number },
): Readonly<Record<string, string>> {
  const pairs = (entries(field) ?? []).flatMap(([key, entry]) => {
    if (rules.key?.accepts(key) === false) {
      reject({ ...entry, value: key }, `must have a valid key: it ${rules.key.must}`);
    }
    const value = text(entry, rules.value);
    return value === undefined ? [] : [[key, value] as const];
  });
  limit(field, pairs.length, rules.most);
  // Built from entries, so that `__proto__` is a key like any other.
  return Object.fromEntries(pairs);
}

function limit(field: Field, count = 0, most = Infinity): void {
  if (count > most) reject({ ...field, value: count }, `must have at most ${most} entries`);
}

/** Makes a rule of a pattern. With the flag `u`, `{1,64}` counts code points, as the registry does. */
export function matching(pattern: RegExp, must: string): TextRule {
  return { must, accepts: candidate => pattern.test(candidate) };
}

/** Returns a value that `accepts` takes; for any other adds an issue and returns undefined. */
export function check<T>(
  field: Field,
  must: string,
  accepts: (value: unknown) => value is T,
): T | undefined {
  const { value } = field;
  return value === undefined || accepts(value) ? value : reject(field, must);
}
