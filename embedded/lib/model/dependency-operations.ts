import { ErrorCode, RegistryError, invalid } from './registry-error.js';
import type { Namespace } from './namespace.js';
import type { StoredMicroservice } from './records.js';
import { nameKeyOf } from './service-directory.js';
import type { ServiceName } from './service-directory.js';

/** One version of a service, by its name or alias. */
interface ConsumerKey extends ServiceName {
  readonly version: string;
  readonly alias?: string | undefined;
}

/** Dependencies that a consumer declares. */
export interface Dependency {
  readonly consumer: ConsumerKey;
  /** A provider without an application belongs to the consumer's. It need not be registered. */
  readonly providers: readonly (Omit<ServiceName, 'appId'> & {
    readonly appId?: string | undefined;
  })[];
}

/**
 * Records dependencies, all or none. They are added to those of the consumer or, with `override`,
 * replace them. A dependency is always on all versions of a provider
 * (datasource/dependency_util.go).
 *
 * @throws RegistryError 400001 for a provider that is named twice, 400012 for an unknown consumer
 */
export function putDependencies(
  namespace: Namespace,
  declared: readonly Dependency[],
  { override }: { readonly override: boolean },
): void {
  namespace.shared.store.require();
  const checked = declared.map(({ consumer, providers }) => {
    const named = providersIn(consumer, providers);
    return { consumerId: requireConsumer(namespace, consumer), providers: named };
  });
  for (const { consumerId, providers } of checked) {
    const { dependencies, shared } = namespace;
    if (override) dependencies.replace(consumerId, providers, shared.now());
    else for (const provider of providers) dependencies.add(consumerId, provider, shared.now());
  }
}

function providersIn(consumer: ConsumerKey, providers: Dependency['providers']): ServiceName[] {
  const named = new Map<string, ServiceName>();
  for (const { environment, appId = consumer.appId, serviceName } of providers) {
    const provider = { environment, appId, serviceName };
    const key = nameKeyOf(provider);
    if (named.has(key))
      throw invalid(
        'Invalid request body for provider info.Duplicate provider or (serviceName and appId is same).',
      );
    named.set(key, provider);
  }
  return [...named.values()];
}

function requireConsumer({ services }: Namespace, consumer: ConsumerKey): string {
  const consumerId = services.holderOf(consumer);
  if (consumerId !== undefined) return consumerId;
  throw new RegistryError(
    ErrorCode.ServiceNotExists,
    `Consumer ${nameKeyOf(consumer)}/${consumer.version} does not exist.`,
  );
}

/** Returns all versions of the services that a consumer depends on, if registered. */
export function providersOf(
  { dependencies, services }: Namespace,
  serviceId: string,
): StoredMicroservice[] {
  return dependencies
    .providersOf(serviceId)
    .flatMap(name => services.versionsOf(name))
    .map(({ service }) => service);
}

/** Returns the services that depend on any version of a provider. */
export function consumersOf(
  { dependencies, services }: Namespace,
  provider: StoredMicroservice,
): StoredMicroservice[] {
  return dependencies
    .consumersOf(provider)
    .flatMap(serviceId => services.get(serviceId)?.service ?? []);
}
