import { invalid } from '../model/registry-error.js';
import type { RegistryError } from '../model/registry-error.js';

/**
 * Parses JSON text.
 *
 * @throws RegistryError 400001 with Go's message, which the server returns as `detail`
 */
export function parseJson(text: string): unknown {
  // Go scans bytes and quotes a byte where JavaScript would quote a character.
  const bytes = Buffer.from(text).toString('latin1');
  const literals = new Scanner(bytes).document();
  return literals.length === 0 ? JSON.parse(text) : parseWithLiterals(bytes, literals);
}

/** Maximum nesting depth of Go's decoder. */
const maxDepth = 10_000;

/** Finds the first syntax error of a text (Go's encoding/json/scanner.go). */
class Scanner {
  readonly #text: string;
  readonly #open: ('object' | 'array')[] = [];
  readonly #literals: Span[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the positions of all numbers that are not plain integers. */
  document(): readonly Span[] {
    do this.#value();
    while (this.#afterValue());
    return this.#literals;
  }

  /** Reads the start of a value, or all of a scalar; stops at the end of an empty container. */
  #value(): void {
    for (;;) {
      const next = this.#take();
      if (next === '{') {
        this.#enter('object');
        if (this.#peek() === '}') return;
        this.#key();
      } else if (next === '[') {
        this.#enter('array');
        if (this.#peek() === ']') return;
      } else return this.#scalar(next);
    }
  }

  #enter(container: 'object' | 'array'): void {
    if (this.#open.push(container) > maxDepth) throw invalid('exceeded max depth');
  }

  /**
   * Reads what follows a value. Returns true if another value follows, false at the end of the
   * text.
   */
  #afterValue(): boolean {
    for (;;) {
      const container = this.#open.at(-1);
      if (container === undefined) {
        if (this.#peek() === undefined) return false;
        throw this.#fault(this.#take(), 'after top-level value');
      }
      const next = this.#take();
      if (next === ',') {
        if (container === 'object') this.#key();
        return true;
      }
      if (next !== (container === 'object' ? '}' : ']'))
        throw this.#fault(
          next,
          container === 'object' ? 'after object key:value pair' : 'after array element',
        );
      this.#open.pop();
    }
  }

  #key(): void {
    const quote = this.#take();
    if (quote !== '"') throw this.#fault(quote, 'looking for beginning of object key string');
    this.#string();
    const colon = this.#take();
    if (colon !== ':') throw this.#fault(colon, 'after object key');
  }

  #scalar(first: string): void {
    if (first === '"') this.#string();
    else if (first === 't') this.#literal('true');
    else if (first === 'f') this.#literal('false');
    else if (first === 'n') this.#literal('null');
    else if (first === '-' || isDigit(first)) this.#number(first);
    else throw this.#fault(first, 'looking for beginning of value');
  }

  #string(): void {
    for (let next = this.#next(); next !== '"'; next = this.#next()) {
      if (next === '\\') this.#escape();
      else if (next < ' ') throw this.#fault(next, 'in string literal');
    }
  }

  #escape(): void {
    const kind = this.#next();
    if (kind !== 'u') {
      if (!'bfnrt\\/"'.includes(kind)) throw this.#fault(kind, 'in string escape code');
      return;
    }
    for (let digits = 0; digits < 4; digits += 1) {
      const digit = this.#next();
      if (!/[0-9a-f]/i.test(digit)) throw this.#fault(digit, 'in \\u hexadecimal character escape');
    }
  }

  #literal(word: string): void {
    for (const expected of word.slice(1)) {
      const next = this.#next();
      if (next !== expected)
        throw this.#fault(next, `in literal ${word} (expecting '${expected}')`);
    }
  }

  #number(first: string): void {
    const start = this.#at - 1;
    this.#numeral(first);
    const end = this.#at;
    if (!isPlainInteger(this.#text.slice(start, end))) this.#literals.push({ start, end });
  }

  #numeral(first: string): void {
    const lead = first === '-' ? this.#next() : first;
    if (!isDigit(lead)) throw this.#fault(lead, 'in numeric literal');
    if (lead !== '0') this.#digits();
    if (this.#text[this.#at] === '.') {
      this.#at += 1;
      this.#digit('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at += 1;
      if (/[+-]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
      this.#digit('in exponent of numeric literal');
    }
  }

  #digit(where: string): void {
    const digit = this.#next();
    if (!isDigit(digit)) throw this.#fault(digit, where);
    this.#digits();
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  /**
   * Returns the next character that is not white space, without consuming it; undefined at the end.
   */
  #peek(): string | undefined {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    return this.#text[this.#at];
  }

  /** Consumes and returns the next character that is not white space. */
  #take(): string {
    this.#peek();
    return this.#next();
  }

  #next(): string {
    const next = this.#text[this.#at];
    if (next === undefined) throw invalid('unexpected end of JSON input');
    this.#at += 1;
    return next;
  }

  #fault(character: string, where: string): RegistryError {
    return invalid(`invalid character ${quoted(character)} ${where}`);
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

/** Quotes a character as Go does in its messages. */
function quoted(character: string): string {
  if (character === "'") return String.raw`'\''`;
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  const named = '\x07\b\f\n\r\t\v'.indexOf(character);
  if (named !== -1) return `'\\${'abfnrtv'[named]}'`;
  if (character === '\\') return String.raw`'\\'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${hex.padStart(2, '0')}'`;
  if ((code > 0x7f && code <= 0xa0) || code === 0xad) return `'\\u${hex.padStart(4, '0')}'`;
  return `'${character}'`;
}

/**
 * A JSON number whose text matters: Go reads integers from digits only, so `1.0` and `1e2` are not
 * integers, and its errors quote the text. Plain integers of up to 15 digits need no such care.
 */
export class NumberLiteral {
  constructor(readonly text: string) {}
}

/** Start (inclusive) and end (exclusive) of a literal in a text. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Returns whether a literal is read as the same integer everywhere. */
function isPlainInteger(literal: string): boolean {
  return /^-?\d{1,15}$/.test(literal);
}

/**
 * Parses JSON and returns each given literal as a {@link NumberLiteral}.
 *
 * @param bytes well-formed JSON with one character per byte
 * @param literals positions of the literals, in order
 */
function parseWithLiterals(bytes: string, literals: readonly Span[]): unknown {
  // Literals are replaced by halves, so every number that is not an integer is one of them.
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

/**
 * Replaces the marks in a document. A reviver is recursive and would fail at depths that Go
 * accepts.
 */
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
