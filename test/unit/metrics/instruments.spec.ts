import { describe, expect, it } from '@jest/globals';
import { instruments, prometheusName } from '../../../lib/metrics/instruments.js';
import { codesIn, tableOf } from '../../support/docs.js';

describe('the instruments', () => {
  it('are those of the document, in its order', () => {
    const columns = ['metric', 'kind', 'labels', 'meaning', 'OpenTelemetry'];
    const documented = tableOf('docs/metrics.md', ...columns).map(row => ({
      name: codesIn(row['metric'])[0],
      kind: row['kind'],
      labels: codesIn(row['labels']),
      help: row['meaning'],
      openTelemetry: codesIn(row['OpenTelemetry'])[0],
    }));
    expect(documented).toEqual(
      instruments.map(instrument => ({
        name: prometheusName(instrument),
        kind: instrument.kind,
        labels: instrument.labels,
        help: instrument.help,
        openTelemetry: instrument.name,
      })),
    );
  });

  it('have names of their own, and no label that Prometheus would refuse', () => {
    expect(new Set(instruments.map(prometheusName)).size).toBe(instruments.length);
    for (const label of instruments.flatMap(({ labels }) => labels))
      expect(label).toMatch(/^[a-z_]+$/);
  });
});
