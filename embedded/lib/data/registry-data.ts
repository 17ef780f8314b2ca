import type { StoredInstance, StoredMicroservice } from '../model/records.js';
import type { ServiceName } from '../model/service-directory.js';
import * as check from './document-check.js';

/** The version of the format of {@link RegistryData}. */
export const dataFormat = 1;

/**
 * The services and instances of an embedded Service Center as plain JSON: all of them, or those that it is
 * to start with. What is left out is what the registry makes of it in a registration.
 */
export interface RegistryData {
  /** Version of the format. */
  readonly format: typeof dataFormat;
  /**
   * The last number of a change; what is loaded gets later ones, so that no client takes it for what
   * it has. @default 0
   */
  readonly revision?: number | undefined;
  readonly services: readonly ServiceData[];
}

/** A service, with all that is filed under it. */
export interface ServiceData {
  /** @default 'default' */
  readonly domain?: string | undefined;
  /** @default 'default' */
  readonly project?: string | undefined;
  readonly service: Partial<StoredMicroservice> & Pick<StoredMicroservice, 'serviceName'>;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** What was uploaded, by schemaId. */
  readonly schemas?: Readonly<Record<string, SchemaData>> | undefined;
  readonly instances?: readonly InstanceData[] | undefined;
  /** The services that it depends on, in whatever version; without `appId`, of its own application. */
  readonly dependsOn?: readonly DependencyData[] | undefined;
}

/** The uploaded text of a schema. */
export interface SchemaData {
  readonly schema: string;
  readonly summary?: string | undefined;
}

/** An instance; its lease starts anew when it is loaded. An empty `status` is none at all. */
export type InstanceData = Partial<Omit<StoredInstance, 'serviceId' | 'version' | 'hostName'>> &
  Pick<StoredInstance, 'hostName'>;

/** The name of a provider. */
export type DependencyData = Omit<ServiceName, 'appId'> & Partial<Pick<ServiceName, 'appId'>>;

const { text, int32, listOf, mapOf, orNull, record, seconds, someText } = check;
const textMap = mapOf(text);
const stamps = { timestamp: seconds, modTimestamp: seconds };

const key = {
  tenant: text,
  environment: text,
  appId: text,
  serviceName: text,
  alias: text,
  version: text,
};

const service = record(
  {
    serviceId: text,
    environment: text,
    appId: text,
    serviceName: text,
    version: text,
    description: text,
    level: text,
    status: text,
    alias: text,
    schemas: listOf(text),
    paths: listOf(orNull(record({ path: text, property: textMap }))),
    providers: listOf(orNull(record(key))),
    properties: textMap,
    LBStrategy: textMap,
    framework: record({ name: text, version: text }),
    registerBy: text,
    ...stamps,
  },
  ['serviceName'],
);

const instance = record(
  {
    instanceId: text,
    hostName: text,
    endpoints: listOf(text),
    status: text,
    properties: textMap,
    healthCheck: record({ mode: text, port: int32, interval: int32, times: int32, url: text }),
    dataCenterInfo: record({ name: text, region: text, availableZone: text }),
    ...stamps,
  },
  ['hostName'],
);

const dependency = record({ environment: text, appId: someText, serviceName: someText }, [
  'serviceName',
]);

const entry = record(
  {
    domain: someText,
    project: check.segment,
    service,
    tags: textMap,
    schemas: mapOf(record({ schema: text, summary: text }, ['schema'])),
    instances: listOf(instance),
    dependsOn: listOf(dependency),
  },
  ['service'],
);

const data = record(
  { format: check.exactly(dataFormat), revision: check.count, services: listOf(entry) },
  ['format', 'services'],
);

/** True for a document whose fields are the right ones, each of its type; else notes what is wrong. */
export function isRegistryData(document: unknown, issues: string[]): document is RegistryData {
  data(document, '', issues);
  return issues.length === 0;
}

/** A document that is no registry data: the message has all that is wrong with it. */
export class RegistryDataError extends Error {
  constructor(readonly issues: readonly string[]) {
    super(`This is no data of a registry:\n${issues.map(issue => `- ${issue}`).join('\n')}`);
    this.name = 'RegistryDataError';
  }
}
