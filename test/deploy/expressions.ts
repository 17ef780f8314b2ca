import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { DrawnPanel } from '../pictures/panel.js';

/** An alert rule of Prometheus, as far as it is looked at. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** A panel of the dashboard, or the heading of some. */
export interface Panel extends DrawnPanel {
  readonly id: number;
  readonly type: string;
  readonly gridPos: {
    readonly h: number;
    readonly w: number;
    readonly x: number;
    readonly y: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: unknown }[];
  };
}

export function alertRules(): readonly AlertRule[] {
  const { groups } = parse(readFileSync('deploy/prometheus/alerts.yml', 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly AlertRule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync('deploy/grafana/dashboard.json', 'utf8')) as Dashboard;
}

/** The expressions of the panels, and those that the variables are read with. */
export function dashboardExpressions(): readonly string[] {
  const { panels, templating } = dashboard();
  return [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...templating.list.flatMap(({ query }) =>
      typeof query === 'object' && query !== null && 'query' in query ? String(query.query) : [],
    ),
  ];
}

/** A metric in an expression, and the labels that it is selected by. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** Returns the metrics of this library that an expression reads. */
export function selectorsIn(expression: string): readonly Selector[] {
  const found = expression.matchAll(/\b(registry_\w+)(?:\{([^}]*)\})?/g);
  return [...found].map(([, metric = '', matchers = '']) => ({
    metric,
    labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label),
  }));
}
