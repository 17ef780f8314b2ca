/** Makes foreign text safe for a log: a space replaces what breaks a line or controls a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Surrogate}]+/gu, ' ');
}
