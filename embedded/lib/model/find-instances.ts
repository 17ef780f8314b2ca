import { createHash } from 'node:crypto';
import { ErrorCode, RegistryError } from './registry-error.js';
import type { Namespace } from './namespace.js';
import type { View } from './publication.js';
import type { InstanceList } from './instance-list.js';
import type { InstanceRecord, StoredMicroservice } from './records.js';
import { isShared, serviceCenterEnvironment } from './own-service.js';
import { nameKeyOf } from './service-directory.js';
import type { ServiceName, ServiceRecord } from './service-directory.js';

/** Instances, with the revision of exactly this set in exactly this state. */
export interface FoundInstances {
  /** One for each service. */
  readonly lists: readonly InstanceList[];
  readonly revision: string;
}

/** One instance, with the revision of those whose ids start with the wanted one. */
export interface FoundInstance {
  readonly instance: InstanceRecord;
  readonly revision: string;
}

/** A find by name. */
export interface FindQuery extends ServiceName {
  /** Id of the consumer; the empty string if there is none. */
  readonly consumerId: string;
  /** Used if no service has the name. Only a single find looks up aliases. */
  readonly alias?: string | undefined;
  /** Tags that the provider must have, with any value. */
  readonly tags: readonly string[];
  /** @default 'cache' */
  readonly view?: View | undefined;
  /** Wanted versions; all if undefined. Ignored for shared services. */
  readonly versionRule?: string | undefined;
}

/**
 * Returns the instances of all versions of a service, whatever their status. From then on the
 * consumer counts as depending on the provider.
 *
 * @throws RegistryError 400012 if the consumer or the provider is unknown
 */
export function findInstances(namespace: Namespace, query: FindQuery): FoundInstances {
  if (isShared(namespace, query)) return findShared(namespace, query);
  const consumer = consumerOf(namespace, query.consumerId);
  const environment = consumer === undefined ? query.environment : consumer.environment;
  const wanted = { ...query, environment };
  const versions = wantedVersions(namespace, wanted);
  if (versions.length === 0) {
    namespace.shared.store.requireForFind(2);
    const flag = consumerFlag(query.consumerId, consumer ?? { environment });
    const detail = `${flag} find provider[${nameKeyOf(wanted)}] failed, provider does not exist`;
    throw new RegistryError(ErrorCode.ServiceNotExists, detail);
  }
  const providers = visible(namespace, consumer, versions, query.tags);
  const [provider] = providers;
  if (consumer !== undefined && provider !== undefined)
    namespace.dependencies.add(consumer.serviceId, provider.service, namespace.shared.now());
  return found(providers.map(owner => read(namespace, owner, query)));
}

function wantedVersions(namespace: Namespace, query: FindQuery): readonly ServiceRecord[] {
  const versions = namespace.services.versionsOf(query, query.alias);
  const { versionRule } = query;
  if (versionRule === undefined) return versions;
  return matchingVersions(versions, versionRule, ({ service }) => service.version);
}

/**
 * Returns the instances of a shared service, which are visible to everyone and create no dependency.
 */
function findShared(namespace: Namespace, query: FindQuery): FoundInstances {
  const wanted = { ...query, environment: serviceCenterEnvironment };
  const versions = namespace.services.versionsOf(wanted, query.alias);
  if (versions.length === 0) {
    namespace.shared.store.requireForFind(2);
    const detail = `find shared provider[${nameKeyOf(wanted)}/] failed, provider does not exist`;
    throw new RegistryError(ErrorCode.ServiceNotExists, detail);
  }
  const providers = visible(namespace, undefined, versions, query.tags);
  return found(providers.map(owner => read(namespace, owner, query)));
}

function read(
  { shared }: Namespace,
  owner: ServiceRecord,
  {
    view = 'cache',
    instanceId,
  }: { readonly view?: View | undefined; readonly instanceId?: string },
): InstanceList {
  return shared.publication.read(owner, view, instanceId);
}

/** A query for the instances of one service. */
export interface ProviderQuery {
  readonly consumerId: string;
  readonly serviceId: string;
  readonly tags: readonly string[];
  /** @default 'cache' */
  readonly view?: View | undefined;
}

/**
 * Returns the instances of one service.
 *
 * @throws RegistryError 400012 if the consumer or the service is unknown, or the service is hidden
 * from it
 */
export function listInstances(namespace: Namespace, query: ProviderQuery): FoundInstances {
  const { consumer, provider, isVisible } = lookUp(namespace, query);
  if (!isVisible) {
    const flag = `${relationFlag(query.consumerId, consumer, provider.service)} instances`;
    throw new RegistryError(
      ErrorCode.ServiceNotExists,
      `${flag} failed, provider instance does not exist`,
    );
  }
  return found([read(namespace, provider, query)]);
}

/**
 * Returns one instance, first in the list. The server looks up by prefix, so the beginning of an id
 * also finds an instance, and every match counts for the revision (cache/filter_instances.go).
 *
 * @throws RegistryError 400012 if the consumer or the service is unknown, 400017 if the instance is
 */
export function getInstance(
  namespace: Namespace,
  query: ProviderQuery & { readonly instanceId: string },
): FoundInstance {
  const { consumer, provider, isVisible } = lookUp(namespace, query);
  const matching = read(namespace, provider, query);
  const [instance] = matching.records.toSorted((a, b) =>
    a.instance.instanceId < b.instance.instanceId ? -1 : 1,
  );
  if (instance === undefined || !isVisible) {
    const flag = `${relationFlag(query.consumerId, consumer, provider.service)} instance[${query.instanceId}]`;
    throw new RegistryError(
      ErrorCode.InstanceNotExists,
      `${flag} failed, provider instance does not exist`,
    );
  }
  return { instance, revision: revisionOf([matching]) };
}

function lookUp(namespace: Namespace, { consumerId, serviceId, tags }: ProviderQuery) {
  const consumer = consumerOf(namespace, consumerId);
  const provider = namespace.requireService(serviceId, `Provider[${serviceId}] does not exist.`);
  const isVisible = visible(namespace, consumer, [provider], tags).length > 0;
  return { consumer, provider, isVisible };
}

function consumerOf(namespace: Namespace, id: string): StoredMicroservice | undefined {
  if (id === '') return undefined;
  return namespace.requireService(id, `Consumer[${id}] does not exist.`).service;
}

function visible(
  namespace: Namespace,
  consumer: StoredMicroservice | undefined,
  providers: readonly ServiceRecord[],
  tags: readonly string[],
): ServiceRecord[] {
  return providers
    .filter(provider => tags.every(tag => provider.tags.has(tag)))
    .filter(({ service }) => !consumer || isAccessible(namespace, consumer, service));
}

function found(lists: readonly InstanceList[]): FoundInstances {
  return { lists, revision: revisionOf(lists) };
}

function consumerFlag(id: string, consumer: Partial<StoredMicroservice> | undefined): string {
  const { environment = '', appId = '', serviceName = '', version = '' } = consumer ?? {};
  return `Consumer[${id}][${environment}/${appId}/${serviceName}/${version}]`;
}

function relationFlag(
  consumerId: string,
  consumer: StoredMicroservice | undefined,
  provider: StoredMicroservice,
): string {
  const flag = `${nameKeyOf(provider)}/${provider.version}`;
  return `${consumerFlag(consumerId, consumer)} find provider[${provider.serviceId}][${flag}]`;
}

/**
 * Returns whether a consumer can see a provider: it must be in the same environment, and in the
 * same application unless a property of the provider allows others
 * (datasource/etcd/util/rule_util.go).
 */
function isAccessible(
  namespace: Namespace,
  consumer: StoredMicroservice,
  provider: StoredMicroservice,
): boolean {
  const allowsCrossApp = provider.properties?.['allowCrossApp']?.toLowerCase() === 'true';
  if (provider.appId !== consumer.appId && !allowsCrossApp) return false;
  return isShared(namespace, provider) || provider.environment === consumer.environment;
}

/**
 * Returns the versions that match a rule of version 2.0 or earlier of the server
 * (datasource/etcd/util/versionrule.go): `1.0.0` exactly, `1.0.0+` or later, `1.0.0-2.0.0` without
 * its end, or `latest`.
 */
function matchingVersions<Item>(
  items: readonly Item[],
  rule: string,
  versionOf: (item: Item) => string,
): readonly Item[] {
  if (rule === 'latest') {
    const [latest] = items.toSorted((a, b) => compare(versionOf(b), versionOf(a)));
    return latest === undefined ? [] : [latest];
  }
  const fits = predicateOf(rule);
  return items.filter(item => fits(versionOf(item)));
}

function predicateOf(rule: string): (version: string) => boolean {
  if (rule.endsWith('+')) return version => compare(version, rule.slice(0, -1)) >= 0;
  const [first = '', second] = rule.split('-');
  if (second === undefined) return version => version === rule;
  const [start = '', end = ''] = [first, second].toSorted(compare);
  return version => compare(version, start) >= 0 && compare(version, end) < 0;
}

/** Compares versions number by number; a missing number counts as 0. */
function compare(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const length = Math.max(left.length, right.length);
  const differences = Array.from({ length }, (_, at) => (left[at] ?? 0) - (right[at] ?? 0));
  return differences.find(difference => difference !== 0) ?? 0;
}

function numbersOf(version: string): number[] {
  return version.split('.').map(Number);
}

/**
 * Returns an opaque text that changes with every change of these instances and of their count: a
 * hash of the latest change number and the count (FormatRevision in datasource/etcd/util).
 * Heartbeats do not count.
 */
function revisionOf(lists: readonly InstanceList[]): string {
  const latest = lists.reduce((max, list) => Math.max(max, list.latest), 0);
  const count = lists.reduce((sum, { size }) => sum + size, 0);
  return createHash('sha1').update(`${latest}.${count},`).digest('hex');
}
