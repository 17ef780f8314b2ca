/**
 * Makes foreign text safe for a log: replaces characters by spaces that would break a line, begin a new
 * one, or control a terminal.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Surrogate}]+/gu, ' ');
}
