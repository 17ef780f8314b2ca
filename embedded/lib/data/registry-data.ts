import type { StoredInstance, StoredMicroservice } from '../model/records.js';
import type { ServiceName } from '../model/service-directory.js';

/** The current version of the format of {@link RegistryData}. */
export const dataFormat = 1;

/**
 * The services and instances of an embedded Service Center as plain JSON. Fields that are left out
 * get the same defaults as in a registration.
 */
export interface RegistryData {
  /** Version of the format. */
  readonly format: typeof dataFormat;
  /**
   * Number of the last change. Later changes get higher numbers, so that no client mistakes them
   * for known ones. @default 0
   */
  readonly revision?: number | undefined;
  readonly services: readonly ServiceData[];
}

/** A service with its tags, schemas, instances and dependencies. */
export interface ServiceData {
  /** @default 'default' */
  readonly domain?: string | undefined;
  /** @default 'default' */
  readonly project?: string | undefined;
  readonly service: Partial<StoredMicroservice> & Pick<StoredMicroservice, 'serviceName'>;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Uploaded schemas by schemaId. */
  readonly schemas?: Readonly<Record<string, SchemaData>> | undefined;
  readonly instances?: readonly InstanceData[] | undefined;
  /**
   * Services that it depends on, in any version. Without `appId` they belong to its own
   * application.
   */
  readonly dependsOn?: readonly DependencyData[] | undefined;
}

/** The uploaded text of a schema. */
export interface SchemaData {
  readonly schema: string;
  readonly summary?: string | undefined;
}

/**
 * An instance; its lease starts in full when it is loaded. An empty `status` means that it has
 * none.
 */
export type InstanceData = Partial<Omit<StoredInstance, 'serviceId' | 'version' | 'hostName'>> &
  Pick<StoredInstance, 'hostName'>;

/** The name of a provider. */
export type DependencyData = Omit<ServiceName, 'appId'> & Partial<Pick<ServiceName, 'appId'>>;

/**
 * Returns whether all fields of a document are known and have the right type; otherwise adds
 * issues.
 */
export function isRegistryData(document: unknown, issues: string[]): document is RegistryData {
  data(document, '', issues);
  return issues.length === 0;
}

/** Thrown for a document that is not valid; the message lists every issue. */
export class RegistryDataError extends Error {
  constructor(readonly issues: readonly string[]) {
    super(
      `The document is not valid registry data:\n${issues.map(issue => `- ${issue}`).join('\n')}`,
    );
    this.name = 'RegistryDataError';
  }
}

/** Checks a part of a document and adds what is wrong to `issues`. */
type Check = (value: unknown, path: string, issues: string[]) => void;

/** Allowed fields of an object, with the check of each. */
type Fields = Readonly<Record<string, Check>>;

const longest = 60;

function kindOf(what: string, fits: (value: unknown) => boolean): Check {
  return (value, path, issues) => {
    if (!fits(value)) issues.push(`${path} must be ${what}, got ${shown(value)}`);
  };
}

/** A text. */
const text: Check = kindOf('a text', value => typeof value === 'string');

/** A text that is not empty. */
const someText: Check = kindOf(
  'a text that is not empty',
  value => typeof value === 'string' && value !== '',
);

/** A text that can be a segment of a path. */
const segment: Check = kindOf(
  'a text that is not empty and has no slash',
  value => typeof value === 'string' && /^[^/]+$/.test(value),
);

/** A time stamp as in records. */
const seconds: Check = kindOf(
  'seconds since 1970 as a text',
  value => typeof value === 'string' && /^\d{1,15}$/.test(value),
);

/** A whole number of 32 bits. */
const int32: Check = kindOf(
  'a whole number of 32 bits',
  value => typeof value === 'number' && (value | 0) === value,
);

/** A whole number that is not negative. */
const count: Check = kindOf(
  'a whole number of 0 or more',
  value => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
);

/** Exactly this number. */
function exactly(wanted: number): Check {
  return kindOf(String(wanted), value => value === wanted);
}

/** A list whose items all pass a check. */
function listOf(item: Check): Check {
  return (value, path, issues) => {
    if (!Array.isArray(value)) issues.push(`${path} must be a list, got ${shown(value)}`);
    else for (const [at, one] of value.entries()) item(one, `${path}[${at}]`, issues);
  };
}

/** An object with any keys, whose values all pass a check. */
function mapOf(item: Check): Check {
  return (value, path, issues) => {
    const entries = entriesOf(value, path, issues);
    for (const [key, one] of entries) item(one, `${path}[${JSON.stringify(key)}]`, issues);
  };
}

/** An object with these fields and no others. Undefined means absent. */
function record(fields: Fields, required: readonly string[] = []): Check {
  return (value, path, issues) => {
    const prefix = path === '' ? '' : `${path}.`;
    const entries = entriesOf(value, path, issues).filter(([, one]) => one !== undefined);
    for (const [key, one] of entries) {
      const check = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (check === undefined) issues.push(`${prefix}${key} is not a known field`);
      else check(one, `${prefix}${key}`, issues);
    }
    if (!isObject(value)) return;
    const present = new Set(entries.map(([key]) => key));
    for (const key of required) if (!present.has(key)) issues.push(`${prefix}${key} is missing`);
  };
}

/** Null, or a value that passes a check. */
function orNull(check: Check): Check {
  return (value, path, issues) => {
    if (value !== null) check(value, path, issues);
  };
}

function entriesOf(value: unknown, path: string, issues: string[]): [string, unknown][] {
  if (isObject(value)) return Object.entries(value);
  issues.push(`${path || 'the document'} must be an object, got ${shown(value)}`);
  return [];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const whole = JSON.stringify(value) ?? 'nothing';
  return whole.length > longest ? `${whole.slice(0, longest)}…` : whole;
}

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
    project: segment,
    service,
    tags: textMap,
    schemas: mapOf(record({ schema: text, summary: text }, ['schema'])),
    instances: listOf(instance),
    dependsOn: listOf(dependency),
  },
  ['service'],
);

const data = record({ format: exactly(dataFormat), revision: count, services: listOf(entry) }, [
  'format',
  'services',
]);
