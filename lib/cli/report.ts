import { printable } from '../protocol/printable.js';
import type { Format, Paint } from './terminal.js';

/** The result of one check. A `problem` must change; a `warning` is worth a look. */
export interface Check {
  /** One word: `connection`, `certificate`, `clock`, … */
  readonly name: string;
  readonly status: 'ok' | 'note' | 'warning' | 'problem';
  /** The result on one line. */
  readonly text: string;
  readonly finding?: Finding | undefined;
}

/** What to change, and why: three sentences without their full stops. */
export interface Finding {
  readonly fact: string;
  readonly consequence: string;
  readonly change: string;
}

/** The checks of one subject. */
export interface Section {
  readonly title: string;
  readonly checks: readonly Check[];
}

/** Makes a check of a finding: its line is the fact, or something shorter. */
export function problem(name: string, finding: Finding, text = finding.fact): Check {
  return { name, status: 'problem', text, finding };
}

/** Makes a warning of a finding. */
export function warning(name: string, finding: Finding, text = finding.fact): Check {
  return { name, status: 'warning', text, finding };
}

/** How a report is laid out. */
interface Page {
  readonly paint: Paint;
  /** Width in characters. */
  readonly columns: number;
}

/** Returns whether nothing has to change. */
export function isFine(sections: readonly Section[]): boolean {
  return sections.every(({ checks }) => checks.every(({ status }) => status !== 'problem'));
}

function signOf(status: Check['status']): readonly [colour: Format, sign: string] {
  switch (status) {
    case 'ok':
      return ['green', '✓'];
    case 'note':
      return ['gray', '·'];
    case 'warning':
      return ['yellow', '!'];
    case 'problem':
      return ['red', '✗'];
  }
}

/** Writes the report: every check, then what to change. Lines break at the last column at the latest. */
export function textOf(sections: readonly Section[], { paint, columns }: Page): string {
  const checks = sections.flatMap(section => section.checks);
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2;
  const lines = sections.flatMap(({ title, checks }) => [
    paint('bold', title),
    ...checks.map(({ name, status, text }) => {
      const [colour, sign] = signOf(status);
      const indent = width + 4;
      return `  ${paint(colour, sign)} ${name.padEnd(width)}${wrapped(text, indent, columns)}`;
    }),
    '',
  ]);
  return [...lines, ...conclusion(checks, { paint, columns })].join('\n');
}

function conclusion(checks: readonly Check[], { paint, columns }: Page): readonly string[] {
  const problems = checks.filter(({ status }) => status === 'problem');
  const warnings = checks.filter(({ status }) => status === 'warning');
  const found = [...problems, ...warnings].flatMap(({ status, finding }) =>
    finding === undefined ? [] : [{ status, finding }],
  );
  const alsoWarnings = warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`;
  const summary =
    problems.length === 0
      ? paint('green', `Nothing has to change${alsoWarnings}.`)
      : paint('red', `${counted(problems.length, 'thing')} to change${alsoWarnings}.`);
  const findings = found.flatMap(({ status, finding }, index) => {
    const { fact, consequence, change } = finding;
    const number = `${index + 1}. `;
    const margin = number.length;
    const indent = ' '.repeat(margin);
    return [
      '',
      `${paint(signOf(status)[0], number)}${paint('bold', wrapped(`${fact}.`, margin, columns))}`,
      `${indent}${wrapped(`${consequence}.`, margin, columns)}`,
      `${indent}${paint('cyan', '→')} ${wrapped(`${change}.`, margin + 2, columns)}`,
    ];
  });
  return [summary, ...findings];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Breaks a text between words; the lines after the first are indented. Nothing that a registry sent controls the terminal. */
function wrapped(text: string, indent: number, columns: number): string {
  const room = Math.max(20, columns - indent);
  const lines = [''];
  for (const word of printable(text).split(' ')) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || longer.length <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** Writes the report as JSON for programs. */
export function jsonOf(sections: readonly Section[]): string {
  const checks = sections.flatMap(({ title, checks }) =>
    checks.map(check => ({ subject: title, ...check })),
  );
  return JSON.stringify({ ok: isFine(sections), checks }, undefined, 2);
}
