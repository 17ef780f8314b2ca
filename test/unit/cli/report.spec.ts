import { describe, expect, it } from '@jest/globals';
import { isFine, jsonOf, problem, type Section, textOf, warning } from '../../../lib/cli/report.js';
import { paintFor } from '../../../lib/cli/terminal.js';

const finding = {
  fact: 'Nothing listens there',
  consequence: 'Nobody is found',
  change: 'Start it',
};
const sections: readonly Section[] = [
  {
    title: 'Registry',
    checks: [
      warning('certificate', { ...finding, fact: 'It ends soon' }),
      { name: 'clock', status: 'ok', text: 'right' },
      problem('connection', finding),
    ],
  },
];

const plain = paintFor({ env: {}, isTerminal: false });

describe('a report', () => {
  it('lists every check, then what to change, problems first', () => {
    expect(textOf(sections, { paint: plain, columns: 100 }).split('\n')).toEqual([
      'Registry',
      '  ! certificate  It ends soon',
      '  ✓ clock        right',
      '  ✗ connection   Nothing listens there',
      '',
      '1 thing to change, 1 warning.',
      '',
      '1. Nothing listens there.',
      '   Nobody is found.',
      '   → Start it.',
      '',
      '2. It ends soon.',
      '   Nobody is found.',
      '   → Start it.',
    ]);
  });

  it('breaks long lines between words, and indents what follows', () => {
    const text = 'one two three four five six seven';
    const checks = [{ name: 'name', status: 'ok', text } as const];
    const lines = textOf([{ title: 'A', checks }], { paint: plain, columns: 30 }).split('\n');
    expect(lines.slice(1, 3)).toEqual(['  ✓ name  one two three four', '          five six seven']);
  });

  it('shows nothing that controls a terminal', () => {
    const checks = [{ name: 'registry', status: 'ok', text: 'version \u001b[2J1' } as const];
    const text = textOf([{ title: 'A', checks }], { paint: plain, columns: 100 });
    expect(text).toContain('version  [2J1');
    expect(text).not.toContain('\u001b');
  });

  it('is fine with warnings, and not with a problem', () => {
    const [{ title, checks } = { title: '', checks: [] }] = sections;
    expect(isFine([{ title, checks: checks.slice(0, 2) }])).toBe(true);
    expect(isFine(sections)).toBe(false);
  });

  it('has each check with its subject and its finding as JSON', () => {
    expect(JSON.parse(jsonOf(sections))).toMatchObject({
      ok: false,
      checks: [
        { subject: 'Registry', name: 'certificate', status: 'warning' },
        { name: 'clock', status: 'ok' },
        { name: 'connection', status: 'problem', finding },
      ],
    });
  });
});
