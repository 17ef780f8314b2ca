import { optionDefaults } from './defaults.js';

/**
 * The path of the option that was probably meant by a name that does not exist: a sibling with a
 * name like it, else the only option of that name in any group; undefined when nothing is close.
 */
export function suggestion(name: string, siblings: readonly string[]): string | undefined {
  const written = name.toLowerCase();
  return siblings.find(sibling => isClose(written, leaf(sibling))) ?? elsewhere(written);
}

function elsewhere(written: string): string | undefined {
  const paths = optionDefaults().map(option => option.path);
  const [match, ...more] = paths.filter(path => /^\w+\.\w+$/.test(path) && leaf(path) === written);
  return more.length === 0 ? match : undefined;
}

function leaf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1).toLowerCase();
}

function isClose(written: string, option: string): boolean {
  if (written.length < 3) return false;
  if (startsOrEnds(written, option) || startsOrEnds(option, written)) return true;
  return Math.abs(written.length - option.length) <= 1 && isOneSlipAway(written, option);
}

function startsOrEnds(part: string, whole: string): boolean {
  return whole.startsWith(part) || whole.endsWith(part);
}

/** One letter too many, too few or wrong, or two in the wrong order. */
function isOneSlipAway(left: string, right: string): boolean {
  const variants = new Set(withOneLetterLess(left));
  return withOneLetterLess(right).some(variant => variants.has(variant));
}

function withOneLetterLess(word: string): string[] {
  const shorter = Array.from(word, (_, index) => word.slice(0, index) + word.slice(index + 1));
  return [word, ...shorter];
}
