import type { HealthCheck, Microservice, MicroserviceInstance } from '../protocol/wire.js';

/** The instance that this process wants the registry to list. */
export type DesiredInstance = MicroserviceInstance & {
  readonly instanceId: string;
  readonly healthCheck: HealthCheck;
};

/** What the registry is to list: a service, and one instance of it. */
export interface Listing {
  readonly microservice: Microservice;
  readonly tags: Readonly<Record<string, string>>;
  readonly instance: DesiredInstance;
}

/** A registration that was sent, and the record that it asked for. */
export interface Posted {
  readonly serviceId: string;
  /** Milliseconds of the monotonic clock. */
  readonly sentAt: number;
  /** Ours may have been changed since. */
  readonly instance: DesiredInstance;
}

/** A field of the record that decides who is reached. */
export type ListedField = 'endpoints' | 'hostName' | 'status' | 'properties';

/**
 * Names the fields in which a stored record is not the one that was asked for. Properties that the
 * server added (registry.instance.properties) are no difference.
 */
export function differences(
  stored: MicroserviceInstance,
  wanted: MicroserviceInstance,
): readonly ListedField[] {
  const fields: ListedField[] = [];
  if (!sameItems(stored.endpoints ?? [], wanted.endpoints ?? [])) fields.push('endpoints');
  if (stored.hostName !== wanted.hostName) fields.push('hostName');
  if ((stored.status ?? 'UP') !== (wanted.status ?? 'UP')) fields.push('status');
  const properties = Object.entries(wanted.properties ?? {});
  if (properties.some(([name, value]) => stored.properties?.[name] !== value))
    fields.push('properties');
  return fields;
}

/** Whether consumers of a stored record would not reach the one that was asked for. */
export function isElsewhere(stored: MicroserviceInstance, wanted: MicroserviceInstance): boolean {
  return differences(stored, wanted).some(field => field === 'endpoints' || field === 'hostName');
}

function sameItems(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every(item => right.includes(item));
}
