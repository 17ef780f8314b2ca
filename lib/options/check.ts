import { entries, items, reject, type Field } from './field.js';
import type { HealthSourceToken } from './options.js';

/** What a text must be: in words, after the path of the option, and as a test. */
export interface TextRule {
  readonly must: string;
  readonly accepts: (text: string) => boolean;
}

/** Bounds of a number, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * The option as text.
 *
 * This check and those below answer undefined for an absent option, and for a wrong one after adding
 * an issue: a default that stands in for a wrong value is never seen.
 */
export function text(field: Field, rule: TextRule): string | undefined {
  const accepts = (value: unknown): value is string =>
    typeof value === 'string' && rule.accepts(value);
  return check(field, rule.must, accepts);
}

/** The option as text; an absent one is an issue. Answers '' after an issue. */
export function requiredText(field: Field, rule: TextRule): string {
  if (field.value === undefined) reject(field, rule.must);
  return text(field, rule) ?? '';
}

/** The option as a number within the range. */
export function number(field: Field, { min, max }: Range): number | undefined {
  return numeric(field, `must be a number from ${min} to ${max}`, value =>
    isWithin(value, min, max),
  );
}

/** The option as a whole number within the range. */
export function wholeNumber(field: Field, { min, max }: Range): number | undefined {
  const must = `must be a whole number from ${min} to ${max}`;
  return numeric(field, must, value => Number.isInteger(value) && isWithin(value, min, max));
}

/** The option as a whole number of milliseconds within the range. */
export function wholeMilliseconds(field: Field, { min, max }: Range): number | undefined {
  const must = `must be a whole number of milliseconds from ${min} to ${max}`;
  return numeric(field, must, value => Number.isInteger(value) && isWithin(value, min, max));
}

/** The option in milliseconds, within the range and without a fraction of a second. */
export function wholeSeconds(field: Field, { min, max }: Range): number | undefined {
  const must = `must be a whole number of seconds from ${min} to ${max}`;
  return numeric(field, must, value => value % 1_000 === 0 && isWithin(value, min, max));
}

function numeric(
  field: Field,
  must: string,
  accepts: (value: number) => boolean,
): number | undefined {
  return check(
    field,
    must,
    (value): value is number => typeof value === 'number' && accepts(value),
  );
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/** The option as true or false; neither text nor 0 and 1. */
export function flag(field: Field): boolean | undefined {
  return check(field, 'must be true or false', value => typeof value === 'boolean');
}

/** The option as what finds a provider: a class, a text or a symbol. */
export function providerToken(field: Field): HealthSourceToken | undefined {
  const must = 'must be the class of a provider, or the text or symbol it is provided under';
  return check(field, must, (value): value is HealthSourceToken =>
    ['function', 'string', 'symbol'].includes(typeof value),
  );
}

/** The option as one of the words. */
export function oneOf<Word extends string>(field: Field, words: readonly Word[]): Word | undefined {
  const must = `must be one of ${words.map(word => JSON.stringify(word)).join(', ')}`;
  return check(field, must, (value): value is Word => words.some(word => word === value));
}

/** The option as a list of texts, copied. */
export function texts(field: Field, rule: TextRule): readonly string[] | undefined {
  return items(field)?.map(item => requiredText(item, rule));
}

/** The option as texts by their keys, copied; a key whose value is undefined is left out. */
export function textByKey(
  field: Field,
  rules: { readonly key?: TextRule; readonly value: TextRule },
): readonly (readonly [key: string, value: string])[] {
  return (entries(field) ?? []).flatMap(([key, entry]) => {
    if (rules.key?.accepts(key) === false) {
      reject({ ...entry, value: key }, `must have a key that fits: it ${rules.key.must}`);
    }
    const value = text(entry, rules.value);
    return value === undefined ? [] : [[key, value] as const];
  });
}

/** Adds an issue when the option holds too many entries. */
export function limit(field: Field, count: number, most: number): void {
  if (count > most) reject({ ...field, value: count }, `must hold at most ${most} entries`);
}

/** A rule by a pattern; with the flag `u`, `{1,64}` counts characters as the registry does (runes). */
export function matching(pattern: RegExp, must: string): TextRule {
  return { must, accepts: candidate => pattern.test(candidate) };
}

function check<T>(
  field: Field,
  must: string,
  accepts: (value: unknown) => value is T,
): T | undefined {
  const { value } = field;
  return value === undefined || accepts(value) ? value : reject(field, must);
}
