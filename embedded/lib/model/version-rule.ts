/**
 * Of several versions of a service those that fit a rule of version 2.0 of the server and before
 * (datasource/etcd/util/versionrule.go): `1.0.0` itself, `1.0.0+` and all later, `1.0.0-2.0.0`
 * without its end, `latest`.
 */
export function fitting<Item>(
  items: readonly Item[],
  rule: string,
  versionOf: (item: Item) => string,
): readonly Item[] {
  if (rule === 'latest') {
    const [latest] = items.toSorted((a, b) => compare(versionOf(b), versionOf(a)));
    return latest === undefined ? [] : [latest];
  }
  const fits = predicateOf(rule);
  return items.filter(item => fits(versionOf(item)));
}

function predicateOf(rule: string): (version: string) => boolean {
  if (rule.endsWith('+')) return version => compare(version, rule.slice(0, -1)) >= 0;
  const [first = '', second] = rule.split('-');
  if (second === undefined) return version => version === rule;
  const [start = '', end = ''] = [first, second].toSorted(compare);
  return version => compare(version, start) >= 0 && compare(version, end) < 0;
}

/** Compares number by number; one that is missing counts as 0. */
function compare(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const length = Math.max(left.length, right.length);
  const differences = Array.from({ length }, (_, at) => (left[at] ?? 0) - (right[at] ?? 0));
  return differences.find(difference => difference !== 0) ?? 0;
}

function numbersOf(version: string): number[] {
  return version.split('.').map(Number);
}
