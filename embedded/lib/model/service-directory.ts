import { createHash } from 'node:crypto';
import type { InstanceTable } from './instance-list.js';
import type { SchemaRecord, StoredMicroservice } from './records.js';

/** A service with its tags, schemas and instances. */
export interface ServiceRecord {
  service: StoredMicroservice;
  tags: ReadonlyMap<string, string>;
  schemas: Map<string, SchemaRecord>;
  readonly instances: InstanceTable;
}

/** The parts of a name that all versions of a service share. */
export interface ServiceName {
  readonly environment?: string | undefined;
  readonly appId: string;
  readonly serviceName: string;
}

/** Returns environment, application and name as one text; none of them can contain a slash. */
export function nameKeyOf(name: ServiceName): string {
  return [name.environment ?? '', name.appId, name.serviceName].join('/');
}

/**
 * Returns the id of a service that has none: a hash of its namespace, name and version
 * (server/plugin/uuid/context/context.go). So a service that was lost gets the same id again.
 */
export function serviceIdFor(
  namespace: string,
  service: ServiceName & { readonly version: string },
): string {
  const key = `/cse-sr/ms/indexes/${namespace}/${nameKeyOf(service)}/${service.version}`;
  return createHash('sha1').update(key).digest('hex');
}

type Versions = Map<string, string>;

/** The services of one namespace, by id, name and alias. */
export class ServiceDirectory {
  readonly #byId = new Map<string, ServiceRecord>();
  readonly #byName = new Map<string, Versions>();
  readonly #byAlias = new Map<string, Versions>();

  get(serviceId: string): ServiceRecord | undefined {
    return this.#byId.get(serviceId);
  }

  get size(): number {
    return this.#byId.size;
  }

  all(): IterableIterator<ServiceRecord> {
    return this.#byId.values();
  }

  /**
   * Returns the id of the service with a name and version, otherwise with its alias and version.
   */
  holderOf(service: Omit<StoredMicroservice, 'serviceId'>): string | undefined {
    const byName = this.#byName.get(nameKeyOf(service))?.get(service.version);
    if (byName !== undefined || service.alias === undefined) return byName;
    return this.#byAlias.get(aliasKeyOf(service, service.alias))?.get(service.version);
  }

  /** Returns all versions of a service, by name or otherwise by alias (microservice_util.go). */
  versionsOf(name: ServiceName, alias?: string): ServiceRecord[] {
    const ids =
      this.#byName.get(nameKeyOf(name)) ??
      (alias === undefined ? undefined : this.#byAlias.get(aliasKeyOf(name, alias)));
    return [...(ids?.values() ?? [])].flatMap(id => this.#byId.get(id) ?? []);
  }

  add(record: ServiceRecord): void {
    const { service } = record;
    this.#byId.set(service.serviceId, record);
    file(this.#byName, nameKeyOf(service), service);
    if (service.alias !== undefined)
      file(this.#byAlias, aliasKeyOf(service, service.alias), service);
  }

  remove(record: ServiceRecord): void {
    const { service } = record;
    this.#byId.delete(service.serviceId);
    unfile(this.#byName, nameKeyOf(service), service.version);
    if (service.alias !== undefined)
      unfile(this.#byAlias, aliasKeyOf(service, service.alias), service.version);
  }
}

function aliasKeyOf(name: ServiceName, alias: string): string {
  return nameKeyOf({ ...name, serviceName: alias });
}

function file(index: Map<string, Versions>, key: string, service: StoredMicroservice): void {
  const versions = index.get(key) ?? new Map<string, string>();
  versions.set(service.version, service.serviceId);
  index.set(key, versions);
}

function unfile(index: Map<string, Versions>, key: string, version: string): void {
  const versions = index.get(key);
  versions?.delete(version);
  if (versions?.size === 0) index.delete(key);
}

/** A dependency of a consumer on all versions of a name. */
interface DependencyRule {
  readonly provider: ServiceName;
  /** Time of the request that declared it. */
  readonly declaredAt: number;
}

/**
 * The dependencies of one namespace; a consumer depends on all versions of a name. A dependency
 * stays when its provider is removed and ends with its consumer.
 */
export class DependencyRules {
  readonly #rules = new Map<string, Map<string, DependencyRule>>();
  readonly #consumers = new Map<string, Map<string, DependencyRule>>();
  readonly #effectiveUntil: () => number;

  /** @param effectiveUntil returns the time until which a dependency must have been declared to count */
  constructor(effectiveUntil: () => number) {
    this.#effectiveUntil = effectiveUntil;
  }

  /** Adds a dependency; one that exists stays as it is. */
  add(consumerId: string, provider: ServiceName, declaredAt: number): void {
    const key = nameKeyOf(provider);
    const rules = this.#rules.get(consumerId) ?? new Map<string, DependencyRule>();
    if (rules.has(key)) return;
    const { environment, appId, serviceName } = provider;
    const rule = { provider: { environment, appId, serviceName }, declaredAt };
    this.#rules.set(consumerId, rules.set(key, rule));
    const consumers = this.#consumers.get(key) ?? new Map<string, DependencyRule>();
    this.#consumers.set(key, consumers.set(consumerId, rule));
  }

  /** Replaces the dependencies of a consumer; those that it had still count from when they did. */
  replace(consumerId: string, providers: readonly ServiceName[], declaredAt: number): void {
    const known = this.#rules.get(consumerId);
    this.removeConsumer(consumerId);
    for (const provider of providers)
      this.add(consumerId, provider, known?.get(nameKeyOf(provider))?.declaredAt ?? declaredAt);
  }

  /** Returns the names that a service has declared, whether they count already or not. */
  declaredProvidersOf(consumerId: string): ServiceName[] {
    return Array.from(this.#rules.get(consumerId)?.values() ?? [], ({ provider }) => provider);
  }

  /** Returns the names that a service depends on. */
  providersOf(consumerId: string): ServiceName[] {
    const until = this.#effectiveUntil();
    return [...(this.#rules.get(consumerId)?.values() ?? [])]
      .filter(({ declaredAt }) => declaredAt <= until)
      .map(({ provider }) => provider);
  }

  /** Returns the ids of the services that depend on a name. */
  consumersOf(provider: ServiceName): string[] {
    const until = this.#effectiveUntil();
    return [...(this.#consumers.get(nameKeyOf(provider)) ?? [])].flatMap(([id, { declaredAt }]) =>
      declaredAt <= until ? id : [],
    );
  }

  removeConsumer(consumerId: string): void {
    for (const key of this.#rules.get(consumerId)?.keys() ?? [])
      this.#consumers.get(key)?.delete(consumerId);
    this.#rules.delete(consumerId);
  }
}
