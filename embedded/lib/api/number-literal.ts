/**
 * A number of JSON whose text counts: Go reads integers from digits alone, so `1.0` and `1e2` are
 * none, and tells the text of what it refuses. Plain integers of up to 15 digits need no such care.
 */
export class NumberLiteral {
  constructor(readonly text: string) {}
}

/** From the first character of a literal to the one behind its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** True for a literal that reads as the same integer everywhere. */
export function isPlainInteger(literal: string): boolean {
  return /^-?\d{1,15}$/.test(literal);
}

/**
 * Reads JSON in which every literal but the plain integers stands for itself.
 *
 * @param bytes JSON, known to be well formed, with one character for each byte
 * @param literals where those literals are, in order
 */
export function parseWithLiterals(bytes: string, literals: readonly Span[]): unknown {
  // Halves mark the places: any number that is no integer is then one of ours.
  const parts = literals.map(({ start }, index) => {
    const from = literals[index - 1]?.end ?? 0;
    return `${bytes.slice(from, start)}${index}.5`;
  });
  const marked = parts.join('') + bytes.slice(literals.at(-1)?.end ?? 0);
  return withoutMarks(JSON.parse(Buffer.from(marked, 'latin1').toString()), mark => {
    const { start, end } = literals[mark - 0.5] ?? { start: 0, end: 0 };
    return new NumberLiteral(bytes.slice(start, end));
  });
}

/** Replaces the marks in a document; a reviver, which calls itself, would not get as deep as Go reads. */
function withoutMarks(document: unknown, literalOf: (mark: number) => NumberLiteral): unknown {
  const whole = [document];
  const open: object[] = [whole];
  for (let within = open.pop(); within !== undefined; within = open.pop())
    for (const [key, value] of Object.entries(within) as [string, unknown][]) {
      if (typeof value === 'number' && !Number.isInteger(value))
        Reflect.set(within, key, literalOf(value));
      else if (typeof value === 'object' && value !== null) open.push(value);
    }
  return whole[0];
}
