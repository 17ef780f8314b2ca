/** The numbers of a version, most significant first. */
type Version = readonly number[];

/** Which versions of a provider may be called. */
export type VersionRule =
  | { readonly kind: 'latest' }
  | { readonly kind: 'exact'; readonly version: Version }
  | { readonly kind: 'from'; readonly version: Version }
  /** The first is included, the last is not. */
  | { readonly kind: 'range'; readonly from: Version; readonly below: Version };

/** One to four numbers of 15 bits (pkg/validate/version_func.go). */
const version = String.raw`\d{1,5}(?:\.\d{1,5}){0,3}`;
const isVersion = new RegExp(`^${version}$`);
const grammar = new RegExp(`^(${version})(?:(\\+)|-(${version}))?$`);
const highestNumber = 32_767;

/**
 * Reads a version rule: `1.0.0`, `1.0.0+` (this one and later ones), `1.0.0-2.0.0` (without the last), or
 * `latest`. The ends of a range may stand in any order. Service Center applied these rules itself up to
 * version 2.0 (datasource/etcd/util/versionrule.go); later ones return all versions, so the client applies
 * them. Returns undefined for text that is no rule.
 */
export function parseVersionRule(text: string): VersionRule | undefined {
  if (text === 'latest') return { kind: 'latest' };
  const [, first, plus, last] = grammar.exec(text) ?? [];
  if (first === undefined) return undefined;
  const numbers = `${first}.${last ?? 0}`.split('.');
  if (numbers.some(number => Number(number) > highestNumber)) return undefined;
  const version = numbersOf(first);
  if (plus !== undefined) return { kind: 'from', version };
  if (last === undefined) return { kind: 'exact', version };
  const [from, below] = compare(version, numbersOf(last)) < 0 ? [first, last] : [last, first];
  return { kind: 'range', from: numbersOf(from), below: numbersOf(below) };
}

/**
 * Reads a version rule.
 * @throws RangeError when the text is no rule
 */
export function versionRuleOf(text: string): VersionRule {
  const rule = parseVersionRule(text);
  if (rule !== undefined) return rule;
  throw new RangeError(`versionRule must be such as "1.0.0+", got ${JSON.stringify(text)}`);
}

/**
 * Returns the items whose version fits. `latest` is the newest version among these items, so pass those that
 * may be called: a new service without instances must not take the place of the old one.
 */
export function fitting<Item extends { readonly version?: string | undefined }>(
  rule: VersionRule | undefined,
  items: readonly Item[],
): readonly Item[] {
  if (rule === undefined) return items;
  const effective = rule.kind === 'latest' ? newest(items) : rule;
  return items.filter(item => fits(effective, numbersOf(item.version)));
}

function newest(items: readonly { readonly version?: string | undefined }[]): FixedRule {
  const versions = items.map(item => numbersOf(item.version));
  const version = versions.reduce((a, b) => (compare(a, b) >= 0 ? a : b), []);
  return { kind: 'exact', version };
}

type FixedRule = Exclude<VersionRule, { kind: 'latest' }>;

function fits(rule: FixedRule, version: Version): boolean {
  switch (rule.kind) {
    case 'exact':
      return compare(version, rule.version) === 0;
    case 'from':
      return compare(version, rule.version) >= 0;
    case 'range':
      return compare(version, rule.from) >= 0 && compare(version, rule.below) < 0;
  }
}

/** A version that is missing or unreadable is older than all others. */
function numbersOf(text = ''): Version {
  return isVersion.test(text) ? text.split('.').map(Number) : [];
}

/** Compares number by number; a missing one counts as 0. */
function compare(a: Version, b: Version): number {
  const length = Math.max(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
