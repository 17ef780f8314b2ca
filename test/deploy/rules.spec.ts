import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type Instrument, instruments, prometheusName } from '../../lib/metrics/instruments.js';
import { alertRules, dashboard, dashboardExpressions, selectorsIn } from './expressions.js';

/** Labels that Prometheus adds to every series. */
const added = ['job', 'instance'];

/** Series by their name, with the labels that they have. */
const series = new Map<string, readonly string[]>(instruments.flatMap(seriesOf));

function seriesOf(instrument: Instrument): readonly (readonly [string, readonly string[]])[] {
  const name = prometheusName(instrument);
  const labels = [...instrument.labels, ...added];
  if (instrument.kind !== 'histogram') return [[name, labels]];
  return [
    [`${name}_bucket`, [...labels, 'le']],
    [`${name}_sum`, labels],
    [`${name}_count`, labels],
  ];
}

function unknownIn(expressions: readonly string[]): readonly string[] {
  return expressions.flatMap(selectorsIn).flatMap(({ metric, labels }) => {
    const known = series.get(metric);
    if (known === undefined) return [metric];
    return labels.filter(label => !known.includes(label)).map(label => `${metric}{${label}}`);
  });
}

describe('the alert rules', () => {
  const rules = alertRules();

  it('read metrics and labels that exist', () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter(({ expr }) => selectorsIn(expr).length === 0)).toEqual([]);
    expect(unknownIn(rules.map(({ expr }) => expr))).toEqual([]);
  });

  it('say what is wrong and what to do, in a severity that can be routed', () => {
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toMatch(/^Registry[A-Za-z]+$/);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/\{\{ \$labels\.instance \}\}/);
      expect(annotations.description).toMatch(/\.$/);
    }
  });

  it('have a test each, and one in which none of them fires', () => {
    const file = parse(readFileSync('deploy/prometheus/alerts.test.yml', 'utf8')) as {
      tests: {
        name: string;
        alert_rule_test: { alertname: string; exp_alerts: readonly unknown[] }[];
      }[];
    };
    const tests = file.tests.flatMap(test => test.alert_rule_test);
    const names = rules.map(({ alert }) => alert);
    const named = (isFiring: boolean) =>
      tests
        .filter(({ exp_alerts: alerts }) => alerts.length > 0 === isFiring)
        .map(({ alertname }) => alertname);
    expect(named(true)).toEqual(names);
    expect(named(false)).toEqual(names);
  });

  const commands = [
    { they: 'are accepted', args: ['check', 'rules', 'alerts.yml'] },
    {
      they: 'belong to a configuration that is accepted',
      args: ['check', 'config', 'prometheus.yml'],
    },
    { they: 'fire when they should, and only then', args: ['test', 'rules', 'alerts.test.yml'] },
  ];
  // Without promtool there is nobody to ask.
  if (isPromtoolThere())
    it.concurrent.each(commands)('$they, as promtool says', async ({ args }) => {
      const { stdout } = await promisify(execFile)('promtool', args, { cwd: 'deploy/prometheus' });
      expect(stdout).toContain('SUCCESS');
    });
});

function isPromtoolThere(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('the dashboard', () => {
  const { panels } = dashboard();

  it('reads metrics and labels that exist', () => {
    expect(unknownIn(dashboardExpressions())).toEqual([]);
  });

  it('shows every instrument', () => {
    const shown = new Set(
      dashboardExpressions()
        .flatMap(selectorsIn)
        .map(({ metric }) => metric),
    );
    const isShown = (name: string) => shown.has(name) || shown.has(`${name}_bucket`);
    expect(instruments.map(prometheusName).filter(name => !isShown(name))).toEqual([]);
  });

  it('has panels that do not overlap, each with an id of its own and a legend', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos, targets = [] } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, x < 24, taken.has(`${x} ${y}`)]).toEqual([title, true, false]);
          taken.add(`${x} ${y}`);
        }
      for (const { legendFormat } of targets) expect(legendFormat).not.toBe('');
    }
  });

  it.each(instruments.flatMap(instrument => (instrument.labels.length > 0 ? [instrument] : [])))(
    'names in the legend only labels that its series have: $name',
    instrument => {
      const name = prometheusName(instrument);
      const targets = panels.flatMap(({ targets = [] }) => targets);
      for (const { expr, legendFormat } of targets.filter(({ expr }) => expr.includes(name))) {
        const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
        for (const label of labels) expect([...instrument.labels, ...added]).toContain(label);
        const [, by] = /\bby \(([^)]*)\)/.exec(expr) ?? [];
        if (by !== undefined) expect(new Set(labels)).toEqual(new Set(by.split(', ')));
      }
    },
  );
});
