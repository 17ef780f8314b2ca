import { ErrorCode, RegistryError } from '../model/registry-error.js';
import { json, omitEmpty, plain, done } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { serviceCenterId, serviceCenterVersion } from '../model/own-service.js';
import { clusterName, dumpOf } from '../model/etcd-dump.js';
import { registryMetrics } from '../model/registry-metrics.js';
import type { Gauge } from '../model/registry-metrics.js';

/** The version; `goVersion` contains that of Node. */
const about = {
  version: serviceCenterVersion,
  buildTag: 'embedded',
  goVersion: `node${process.versions.node}`,
  os: process.platform,
  arch: process.arch,
};

/** GET /version. */
export const getVersion3 = (): Answer => json({ ...about, apiVersion: '3.0.0' });

/** GET …/registry/version. */
export const getVersion = (): Answer => json({ ...about, apiVersion: '4.0.0' });

/**
 * GET health: the Service Center's own instances, from which clients learn all addresses of a
 * cluster.
 */
export function getHealth({ model }: Call): Answer {
  model.requireHealth();
  const { instances } = model.root.requireService(serviceCenterId);
  return json({ instances: omitEmpty([...instances.values()].map(({ instance }) => instance)) });
}

/** GET v1/syncer/health: synchronization is not configured. */
export function getSyncerHealth(): Answer {
  throw new RegistryError(ErrorCode.InternalServerError, 'sync config is empty');
}

/** GET on a path of a WebSocket, without an upgrade. */
export const upgradeRequired = (): Answer => plain(400, 'Bad Request');

/**
 * GET admin/dump: the content of the server's cache in all domains and projects. From any domain
 * and project but default/default the server tries to refuse and panics, so the answer is empty.
 */
export function dump(call: Call): Answer {
  const { model, namespace } = call;
  if (namespace !== model.root) return { status: 200, headers: {}, body: '' };
  const given = call.value('options').trim();
  const options = new Set(given === '' ? ['cache'] : given.split(','));
  const has = (option: string) => options.has('all') || options.has(option);
  return json({
    info: has('info') ? about : undefined,
    cache: has('cache') ? dumpOf(model.namespaces()) : undefined,
  });
}

/** GET admin/clusters: the addresses of the only cluster. */
export function listClusters({ model }: Call): Answer {
  const addresses = model.ownAddresses().map(address => `http://${address}`);
  return json({ clusters: { [clusterName]: addresses } });
}

/** GET admin/alarms: always empty, because no backend can fail here. */
export const listAlarms = (): Answer => json({});

/** DELETE admin/alarms. */
export const clearAlarms = (): Answer => done;

/** GET /metrics, in the text format of Prometheus. */
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
