/**
 * A text from elsewhere, as a log may hold it: what would break a line, begin one that is not ours, or
 * obey a terminal becomes a space.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Surrogate}]+/gu, ' ');
}
