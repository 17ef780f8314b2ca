import { invalid } from '../model/registry-error.js';
import type { RegistryError } from '../model/registry-error.js';

/**
 * Reads JSON text.
 *
 * @throws RegistryError 400001 with Go's own words, which the server passes on as `detail`
 */
export function parseJson(text: string): unknown {
  // Go scans bytes, and quotes a byte where we would quote a character.
  const bytes = Buffer.from(text).toString('latin1');
  const literals = new Scanner(bytes).document();
  return literals.length === 0 ? JSON.parse(text) : parseWithLiterals(bytes, literals);
}

/** How deep Go nests at most. */
const maxDepth = 10_000;

/** Finds the first fault of a text that is no JSON (Go's encoding/json/scanner.go). */
class Scanner {
  readonly #text: string;
  readonly #open: ('object' | 'array')[] = [];
  readonly #literals: Span[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Tells where the numbers are that are no plain integers. */
  document(): readonly Span[] {
    do this.#value();
    while (this.#afterValue());
    return this.#literals;
  }

  /** Reads the start of a value, and all of a scalar; stops at the end of an empty container. */
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

  /** Reads on behind a value: true when another value follows, false at the end of the text. */
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

  /** The next character that is no white space, left where it is; undefined at the end. */
  #peek(): string | undefined {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    return this.#text[this.#at];
  }

  /** The next character that is no white space. */
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

/** A character as Go quotes it in a message. */
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
