import { isDeepStrictEqual } from 'node:util';
import { isServiceCombError } from '../errors.js';
import type { CallOptions } from '../protocol/channel.js';
import { isNoSuchService, isRetriable } from '../protocol/failures.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { Microservice } from '../protocol/wire.js';
import type { RegistryRecord } from './record.js';

/** The service in the registry. */
export interface ServiceFound {
  readonly serviceId: string;
  readonly created: boolean;
  /** The parts of an existing service that were changed to what they should be; absent for none. */
  readonly updated?: readonly string[];
  /** The parts that differ, and that the registry does not change; absent for none. */
  readonly outdated?: readonly string[];
}

/** No request changes these once the service exists (server/resource/disco/service_resource.go). */
const fixedParts = ['description', 'level', 'alias', 'framework'] as const;

/**
 * Finds the id of the service, and creates the service when there is none. Properties and tags of an
 * existing one become those of this deployment, as with the Java client.
 * @throws ServiceCombError
 */
export async function findService(
  client: ServiceCenterClient,
  record: RegistryRecord,
  options: CallOptions,
): Promise<ServiceFound> {
  const { microservice, tags } = record;
  let serviceId: string;
  try {
    serviceId = await client.findServiceId(microservice, options);
  } catch (error) {
    if (!isNoSuchService(error)) throw error;
    serviceId = await client.registerMicroservice(microservice, { tags, ...options });
    return { serviceId, created: true };
  }
  return { serviceId, created: false, ...(await update(serviceId, { client, record, options })) };
}

interface Update {
  readonly client: ServiceCenterClient;
  readonly record: RegistryRecord;
  readonly options: CallOptions;
}

async function update(
  serviceId: string,
  { client, record, options }: Update,
): Promise<Pick<ServiceFound, 'updated' | 'outdated'>> {
  const { microservice, tags } = record;
  const { properties = {} } = microservice;
  const stored = await readIfDescribed(serviceId, { client, record, options });
  if (stored === undefined) return {};
  const updated: string[] = [];
  const outdated: string[] = fixedParts.filter(part => isOutdated(stored, microservice, part));
  const write = async (part: string, change: () => Promise<void>) => {
    ((await isAccepted(change)) ? updated : outdated).push(part);
  };
  if (isSet(properties) && !isDeepStrictEqual({ ...stored.properties }, { ...properties }))
    await write('properties', () =>
      client.setMicroserviceProperties(serviceId, properties, options),
    );
  if (
    isSet(tags) &&
    !isDeepStrictEqual({ ...(await client.getTags(serviceId, options)) }, { ...tags })
  )
    await write('tags', () => client.setTags(serviceId, tags, options));
  return {
    ...(updated.length > 0 && { updated }),
    ...(outdated.length > 0 && { outdated }),
  };
}

/** Reads the service when there is something to compare, and the registry shows it. */
async function readIfDescribed(
  serviceId: string,
  { client, record, options }: Update,
): Promise<Microservice | undefined> {
  const { description, alias, properties = {} } = record.microservice;
  const isDescribed =
    isSet(properties) || isSet(record.tags) || description !== undefined || alias !== undefined;
  if (!isDescribed) return undefined;
  try {
    return await client.getMicroservice(serviceId, options);
  } catch (error) {
    if (!isServiceCombError(error) || isRetriable(error)) throw error;
    return undefined;
  }
}

/** A registration does not depend on it, so a refusal is a result. */
async function isAccepted(change: () => Promise<void>): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (error) {
    if (!isServiceCombError(error) || isRetriable(error)) throw error;
    return false;
  }
}

function isOutdated(
  stored: Microservice,
  wanted: Microservice,
  part: (typeof fixedParts)[number],
): boolean {
  const value = wanted[part];
  return value !== undefined && !isDeepStrictEqual(stored[part], value);
}

function isSet(texts: Readonly<Record<string, string>>): boolean {
  return Object.keys(texts).length > 0;
}
