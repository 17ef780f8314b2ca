import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { registryMetrics } from '../model/registry-metrics.js';
import type { Gauge } from '../model/registry-metrics.js';

/** GET /metrics, in the text format of Prometheus */
export function getMetrics({ model }: Call): Answer {
  return {
    status: 200,
    headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: registryMetrics(model).map(textOf).join(''),
  };
}

function textOf({ name, help, samples }: Gauge): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels, value }) => `${name}{${labelsOf(labels)}} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}
