import type { Namespace } from './namespace.js';
import type { ServiceRecord } from './service-directory.js';
import type { RegistryModel } from './registry-model.js';
import { isShared } from './own-service.js';

/** The value of a gauge for one set of labels. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A gauge with all its samples. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * Returns the server's metrics about its data, under its names (server/metrics/meta.go). Metrics
 * about requests, events and the process are not included.
 */
export function registryMetrics(model: RegistryModel): Gauge[] {
  const instance = model.ownAddresses()[0] ?? '';
  const namespaces = model.namespaces();
  const counted = namespaces.flatMap(namespace =>
    [...namespace.services.all()]
      .filter(({ service }) => !isShared(namespace, service))
      .map(record => ({ record, labels: labelsOf(instance, namespace, record) })),
  );
  const services = counted.map(({ labels }) => ({ labels, value: 1 }));
  const instances = counted
    .map(({ record, labels }) => ({ labels, value: record.instances.size }))
    .filter(({ value }) => value > 0);
  const schemas = counted
    .map(({ record, labels: { domain, project } }) => ({
      labels: { instance, domain, project },
      value: record.schemas.size,
    }))
    .filter(({ value }) => value > 0);
  const usage = (samples: readonly Sample[], quota: number) =>
    quota > 0 ? [{ labels: { instance }, value: sumOf(samples) / quota }] : [];
  const domains = new Set(namespaces.map(({ domain }) => domain)).size;
  const frameworks = summed(services).map(({ labels }) => ({ labels, value: 1 }));
  return [
    gauge('domain_total', 'Gauge of domain created', [{ labels: { instance }, value: domains }]),
    gauge('framework_total', 'Gauge of client framework info', frameworks),
    gauge('instance_total', 'Gauge of microservice instance created', summed(instances)),
    gauge(
      'instance_usage',
      'Gauge of microservice instance usage',
      usage(instances, model.quotas.instances),
    ),
    gauge('schema_total', 'Counter of schema created', summed(schemas)),
    gauge('service_total', 'Gauge of microservice created', summed(services)),
    gauge('service_usage', 'Gauge of microservice usage', usage(services, model.quotas.services)),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Gauge {
  return { name: `service_center_db_${name}`, help: `${help} in Service Center`, samples };
}

function labelsOf(instance: string, { domain, project }: Namespace, { service }: ServiceRecord) {
  const { name, version } = service.framework ?? {};
  // The server ignores a version without a name (cari discovery/framework.go).
  const framework = name ?? 'UNKNOWN';
  const frameworkVersion = (name && version) ?? 'UNKNOWN';
  return { instance, framework, frameworkVersion, domain, project };
}

function sumOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + value, 0);
}

/** Adds up the samples with the same labels. */
function summed(samples: readonly Sample[]): Sample[] {
  const sums = new Map<string, Sample>();
  for (const { labels, value } of samples) {
    const key = JSON.stringify(labels);
    sums.set(key, { labels, value: value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}
