import { createHash } from 'node:crypto';
import type { ServiceRecord, StoredMicroservice } from './records.js';

/** The three parts that all versions of a service share. */
export interface ServiceName {
  readonly environment?: string | undefined;
  readonly appId: string;
  readonly serviceName: string;
}

/** One text for an environment, an application and a name; none of them can contain a slash. */
export function nameKeyOf(name: ServiceName): string {
  return [name.environment ?? '', name.appId, name.serviceName].join('/');
}

/**
 * The id of a service that brought none: a hash of where it belongs and of what it is called
 * (server/plugin/uuid/context/context.go), so the same service has the same id after a loss.
 */
export function serviceIdFor(
  namespace: string,
  service: ServiceName & { readonly version: string },
): string {
  const key = `/cse-sr/ms/indexes/${namespace}/${nameKeyOf(service)}/${service.version}`;
  return createHash('sha1').update(key).digest('hex');
}

type Versions = Map<string, string>;

/** The services of one namespace, by id, by name and by alias. */
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

  /** The id that holds a name and version, else the one that holds its alias and version. */
  holderOf(service: Omit<StoredMicroservice, 'serviceId'>): string | undefined {
    const byName = this.#byName.get(nameKeyOf(service))?.get(service.version);
    if (byName !== undefined || service.alias === undefined) return byName;
    return this.#byAlias.get(aliasKeyOf(service, service.alias))?.get(service.version);
  }

  /** All versions of a service; what is not a name may be an alias (microservice_util.go). */
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

/**
 * Who depends on whom: a consumer on all versions of a name. A rule outlives the provider, so a
 * provider that comes back is depended upon again; it ends with its consumer.
 */
export class DependencyRules {
  readonly #providers = new Map<string, Map<string, ServiceName>>();
  readonly #consumers = new Map<string, Set<string>>();

  add(consumerId: string, { environment, appId, serviceName }: ServiceName): void {
    const provider = { environment, appId, serviceName };
    const key = nameKeyOf(provider);
    const providers = this.#providers.get(consumerId) ?? new Map<string, ServiceName>();
    this.#providers.set(consumerId, providers.set(key, provider));
    const consumers = this.#consumers.get(key) ?? new Set<string>();
    this.#consumers.set(key, consumers.add(consumerId));
  }

  providersOf(consumerId: string): ServiceName[] {
    return [...(this.#providers.get(consumerId)?.values() ?? [])];
  }

  /** Ids of the services that depend on a name. */
  consumersOf(provider: ServiceName): string[] {
    return [...(this.#consumers.get(nameKeyOf(provider)) ?? [])];
  }

  removeConsumer(consumerId: string): void {
    for (const key of this.#providers.get(consumerId)?.keys() ?? [])
      this.#consumers.get(key)?.delete(consumerId);
    this.#providers.delete(consumerId);
  }
}
