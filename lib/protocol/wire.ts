/**
 * The wire contract of Service Center's API v4: its paths, the records it sends as JSON, the ids it accepts,
 * and the decoders that read its answers.
 *
 * Seconds appear here and nowhere else in this library. The server omits every empty field, so almost
 * all of them are optional.
 */

/** Texts by name: properties, tags, path parameters, headers. */
export type Texts = Readonly<Record<string, string>>;

/** The headers of an answer that this library reads, in lower case. No other one is kept. */
export const headersRead = ['date', 'location', 'retry-after', 'x-resource-revision'] as const;

/** One HTTP answer, whatever its status. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Partial<Record<(typeof headersRead)[number], string | undefined>>>;
  readonly body: string;
}

/** An operation's method and the template of its path; `:name` stands for one path segment. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
}

const registry = '/v4/:project/registry';
const service = `${registry}/microservices/:serviceId`;
const instance = `${service}/instances/:instanceId`;

/** Every path of Service Center's API v4 that this library uses: no other file holds one. */
export const routes = {
  /** Only on servers with their security on. */
  login: { method: 'POST', path: '/v4/token' },
  getVersion: { method: 'GET', path: `${registry}/version` },
  /** Only on clouds: Apache's Service Center answers 404. */
  getReadiness: { method: 'GET', path: `${registry}/health/readiness` },
  getHealth: { method: 'GET', path: `${registry}/health` },
  getExistence: { method: 'GET', path: `${registry}/existence` },
  registerMicroservice: { method: 'POST', path: `${registry}/microservices` },
  listMicroservices: { method: 'GET', path: `${registry}/microservices` },
  getMicroservice: { method: 'GET', path: service },
  unregisterMicroservice: { method: 'DELETE', path: service },
  setMicroserviceProperties: { method: 'PUT', path: `${service}/properties` },
  getTags: { method: 'GET', path: `${service}/tags` },
  setTags: { method: 'POST', path: `${service}/tags` },
  listSchemas: { method: 'GET', path: `${service}/schemas` },
  replaceSchemas: { method: 'POST', path: `${service}/schemas` },
  getSchema: { method: 'GET', path: `${service}/schemas/:schemaId` },
  setSchema: { method: 'PUT', path: `${service}/schemas/:schemaId` },
  removeSchema: { method: 'DELETE', path: `${service}/schemas/:schemaId` },
  registerInstance: { method: 'POST', path: `${service}/instances` },
  listInstances: { method: 'GET', path: `${service}/instances` },
  getInstance: { method: 'GET', path: instance },
  unregisterInstance: { method: 'DELETE', path: instance },
  setInstanceProperties: { method: 'PUT', path: `${instance}/properties` },
  setInstanceStatus: { method: 'PUT', path: `${instance}/status` },
  heartbeat: { method: 'PUT', path: `${instance}/heartbeat` },
  heartbeats: { method: 'PUT', path: `${registry}/heartbeats` },
  findInstances: { method: 'GET', path: `${registry}/instances` },
  queryInstances: { method: 'POST', path: `${registry}/instances/action` },
  listProviders: { method: 'GET', path: `${service}/providers` },
  listConsumers: { method: 'GET', path: `${service}/consumers` },
  /** A WebSocket: changes of the providers that the service has found. */
  watch: { method: 'GET', path: `${service}/watcher` },
} as const satisfies Record<string, Route>;

/** The name of an operation: `heartbeat`, `registerInstance`, … */
export type OperationName = keyof typeof routes;

/** Half a character: no URL can hold it. */
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Fills a template's `:name` parts, each encoded as one segment.
 * @throws RangeError when a value is missing, empty, `.`, `..` or cannot be encoded: URL clients collapse
 * dot segments, encoded or not, and the request would reach another resource.
 */
export function pathOf(route: Route, parameters: Texts): string {
  const segments = route.path.split('/');
  return segments
    .map(segment => (segment.startsWith(':') ? valueOf(segment.slice(1), parameters) : segment))
    .join('/');
}

function valueOf(name: string, parameters: Texts): string {
  const value = parameters[name] ?? '';
  if (value === '' || value === '.' || value === '..' || loneSurrogate.test(value))
    throw invalid(name, 'must not be empty, "." or ".."', value);
  return encodeURIComponent(value);
}

function invalid(name: string, must: string, value: unknown): RangeError {
  return new RangeError(`${name} ${must}, got ${JSON.stringify(value)}`);
}

/** Life-cycle status of an instance. Consumers should call only `UP` ones. */
export type InstanceStatus = (typeof instanceStatuses)[number];

/** Every status that the registry accepts. */
export const instanceStatuses = ['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'] as const;

/** Deployment environment of a service; part of its identity. The empty string is one of them. */
export type Environment = '' | 'development' | 'testing' | 'acceptance' | 'production';

/** Layer of a service: user-facing, in between, or at the back. */
export type MicroserviceLevel = 'FRONT' | 'MIDDLE' | 'BACK';

/** The framework that a service is built with. */
export interface Framework {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
}

/** The four values that identify a service, besides domain and project. */
export interface MicroserviceKey {
  readonly environment?: string | undefined;
  readonly appId?: string | undefined;
  readonly serviceName: string;
  readonly version: string;
}

/** A logical service in one version; its instances are registered under its `serviceId`. */
export interface Microservice extends MicroserviceKey {
  /** Assigned by the server unless sent; any text of 1 to 64 characters, not always hexadecimal. */
  readonly serviceId?: string | undefined;
  readonly description?: string | undefined;
  readonly level?: MicroserviceLevel | undefined;
  readonly status?: 'UP' | 'DOWN' | undefined;
  readonly alias?: string | undefined;
  readonly schemas?: readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly framework?: Framework | undefined;
  readonly registerBy?: 'SDK' | 'SIDECAR' | 'PLATFORM' | undefined;
  /** Seconds since 1970 as a decimal string, set by the server. */
  readonly timestamp?: string | undefined;
  /** Seconds since 1970 as a decimal string, set by the server. */
  readonly modTimestamp?: string | undefined;
}

/**
 * How an instance keeps its lease. Its length is `interval × (times + 1)` seconds
 * (datasource/etcd/ms.go); the server raises `interval` to its floor of 5 and `times` to 3.
 */
export interface HealthCheck {
  readonly mode: 'push' | 'pull';
  /** Seconds between two heartbeats. */
  readonly interval: number;
  /** Heartbeats that may be missed; omitted by the server when it is zero. */
  readonly times?: number | undefined;
  readonly port?: number | undefined;
  readonly url?: string | undefined;
}

/** Where an instance runs. All three are required when any is sent. */
export interface DataCenterInfo {
  readonly name: string;
  readonly region: string;
  readonly availableZone: string;
}

/** One running copy of a service. */
export interface MicroserviceInstance {
  /** Assigned by the server unless sent. */
  readonly instanceId?: string | undefined;
  readonly serviceId?: string | undefined;
  readonly hostName: string;
  /** `scheme://host:port` each. */
  readonly endpoints?: readonly string[] | undefined;
  readonly status?: InstanceStatus | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly healthCheck?: HealthCheck | undefined;
  readonly dataCenterInfo?: DataCenterInfo | undefined;
  /** Version of the service, set by the server. */
  readonly version?: string | undefined;
  /** Seconds since 1970 as a decimal string, set by the server. */
  readonly timestamp?: string | undefined;
  /** Seconds since 1970 as a decimal string, set by the server. */
  readonly modTimestamp?: string | undefined;
}

/** Identifies one instance: the id of its service and its own. */
export interface InstanceRef {
  readonly serviceId: string;
  readonly instanceId: string;
}

/** A contract of a service, such as an OpenAPI document. */
export interface Schema {
  readonly schemaId: string;
  readonly schema?: string | undefined;
  /** SHA-256 of the content in hexadecimal, as the official clients send it. */
  readonly summary?: string | undefined;
}

/** Version and build of the server. */
export interface ServiceCenterVersion {
  readonly version?: string | undefined;
  readonly apiVersion?: string | undefined;
  readonly buildTag?: string | undefined;
  readonly goVersion?: string | undefined;
  readonly os?: string | undefined;
  readonly arch?: string | undefined;
}

/** The result of one heartbeat of a batch; `errMessage` is set when it failed. */
export interface HeartbeatResult extends InstanceRef {
  readonly errMessage?: string | undefined;
}

/** An instance as the registry stores it: its id is always there. */
export type StoredInstance = MicroserviceInstance & { readonly instanceId: string };

/** Which instances to find. The server ignores versions (since 2.1.0): filter the answer yourself. */
export interface FindQuery {
  readonly appId: string;
  readonly serviceName: string;
  /** Environment of the provider. With a `consumerId`, the environment of the consumer applies instead. */
  readonly environment?: string | undefined;
  /** serviceId of the consumer: it must exist, and the registry records the dependency. */
  readonly consumerId?: string | undefined;
  /** Revision of the answer at hand; an unchanged registry then answers without the list. */
  readonly revision?: string | undefined;
  /** Read the store itself instead of the server's cache, which lags. @default false */
  readonly noCache?: boolean | undefined;
  /** Tags that the provider's service must all have, with any value. @default none */
  readonly tags?: readonly string[] | undefined;
}

/** The instances of a provider, or that they have not changed since the revision that was sent. */
export type Found =
  | {
      readonly modified: true;
      readonly revision: string | undefined;
      readonly instances: readonly StoredInstance[];
    }
  | { readonly modified: false };

/** Counts characters as the registry does. No URL can hold half of one, a lone surrogate. */
const serviceIdRule = /^(?!\.{1,2}$)\P{Surrogate}{1,64}$/u;

/** Returns whether this can be a serviceId: 1 to 64 characters of any kind, but no dot segment. */
export function isServiceId(value: unknown): value is string {
  return typeof value === 'string' && serviceIdRule.test(value);
}

/** Returns whether this can be an instanceId: 1 to 64 letters, digits, `_`, `.`, `-`, no dot segment. */
export function isInstanceId(value: unknown): value is string {
  return isServiceId(value) && /^[A-Za-z0-9_.-]+$/.test(value);
}

/** Returns the path parameters of an instance. @throws RangeError when an id is invalid */
export function instanceParameters({ serviceId, instanceId }: InstanceRef): Texts {
  const must = 'must be 1 to 64 letters, digits, "_", "." or "-"';
  if (!isInstanceId(instanceId)) throw invalid('instanceId', must, instanceId);
  return { ...serviceParameters(serviceId), instanceId };
}

/** Returns the path parameter of a service. @throws RangeError when the id is invalid */
export function serviceParameters(serviceId: string): Texts {
  const must = 'must be 1 to 64 characters and no dot segment';
  if (!isServiceId(serviceId)) throw invalid('serviceId', must, serviceId);
  return { serviceId };
}

/**
 * Returns the header that names the consumer.
 * @throws RangeError when the id is invalid or no header can hold it: axios would omit the characters
 * that it cannot send, which makes it the id of another service. Nothing has been sent then.
 */
export function consumerHeader(consumerId: string): Texts {
  if (!isServiceId(consumerId) || !/^[\x21-\x7e]+$/.test(consumerId))
    throw invalid('consumerId', 'must be 1 to 64 visible ASCII characters', consumerId);
  return { 'X-ConsumerId': consumerId };
}

/** Returned by a decoder when a reply does not have the expected shape. */
export const unexpected: unique symbol = Symbol('unexpected');

/** Reads the value of a reply, or returns `unexpected`. */
export type Decode<T> = (reply: HttpReply) => T | typeof unexpected;

/**
 * Accepts an empty body, the word `Success` that the older cloud API documents, and `{}`, which a gateway
 * makes of an empty answer. Anything else comes from some other server.
 */
export const emptyBody: Decode<undefined> = ({ body }) =>
  ['', 'Success', '{}'].includes(body.trim()) ? undefined : unexpected;

/** Reads the value in a field of a JSON body. */
export function fieldOf<T>(name: string, is: (value: unknown) => value is T): Decode<T> {
  return ({ body }) => {
    const value = jsonObject(body)?.[name];
    return is(value) ? value : unexpected;
  };
}

/** Reads the list in a field of a JSON body; the server omits the field when the list is empty. */
export function listOf<T>(name: string, is: (value: unknown) => value is T): Decode<readonly T[]> {
  return orEmpty(name, [], isListOf(is));
}

/** Makes a guard of a list. */
export function isListOf<T>(is: (value: unknown) => value is T) {
  return (value: unknown): value is readonly T[] => Array.isArray(value) && value.every(is);
}

/** Reads the map of texts in a field of a JSON body; the server omits the field when it is empty. */
export function textsOf(name: string): Decode<Texts> {
  return orEmpty(name, {}, isTexts);
}

function orEmpty<T>(name: string, empty: T, is: (value: unknown) => value is T): Decode<T> {
  return ({ body }) => {
    const object = jsonObject(body);
    if (object === undefined) return unexpected;
    const value = object[name] ?? empty;
    return is(value) ? value : unexpected;
  };
}

type Check = (value: unknown) => boolean;

/** Makes a guard of the checks of a record's fields; the other fields may be anything. */
export function isRecordOf<T>(checks: { readonly [Field in keyof T]?: Check }) {
  const fields = Object.entries<Check | undefined>(checks);
  return (value: unknown): value is T =>
    isRecord(value) && fields.every(([name, accepts]) => accepts?.(value[name]) !== false);
}

/** Accepts an absent field, too. */
export function optional(accepts: Check): Check {
  return value => value === undefined || accepts(value);
}

const isVersion = isRecordOf<ServiceCenterVersion>({
  version: optional(isText),
  apiVersion: optional(isText),
});

/** Reads the version of the server: a JSON object in which no field is required. */
export const serverVersion: Decode<ServiceCenterVersion> = ({ body }) => {
  const object = jsonObject(body);
  return isVersion(object) ? object : unexpected;
};

/** Narrows a service of an answer. */
export const isMicroservice = isRecordOf<Microservice>({
  serviceId: isServiceId,
  serviceName: isText,
  version: isText,
  properties: optional(isTexts),
  schemas: optional(isListOf(isText)),
});

/** The numbers are required: the length of the lease follows from them. */
const isHealthCheck = isRecordOf<HealthCheck>({ interval: isCount, times: optional(isCount) });

/** Narrows an instance of an answer. Its id is any text: one odd record must not cost a whole list. */
export const isInstance = isRecordOf<StoredInstance>({
  instanceId: isText,
  serviceId: optional(isServiceId),
  hostName: optional(isText),
  status: optional(isText),
  endpoints: optional(isListOf(isText)),
  properties: optional(isTexts),
  dataCenterInfo: optional(isTexts),
  healthCheck: optional(isHealthCheck),
});

/** Narrows a schema of an answer. */
export const isSchema = isRecordOf<Schema>({
  schemaId: isText,
  schema: optional(isText),
  summary: optional(isText),
});

/** Narrows one result of a batch of heartbeats. */
export const isHeartbeatResult = isRecordOf<HeartbeatResult>({
  serviceId: isText,
  instanceId: isText,
  errMessage: optional(isText),
});

/** Narrows a text. */
export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Narrows a map of texts. */
export function isTexts(value: unknown): value is Texts {
  return isRecord(value) && Object.values(value).every(isText);
}

/** Narrows a whole number that is not negative. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * Reads a JSON object; undefined when the text is anything else. Drops `__proto__` keys, which would
 * become the prototype of an object that the answer is copied into.
 */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // Without an escape there is only one way to write that key; a reviver is slow and seldom needed.
    const isPlain = !text.includes('__proto__') && !text.includes('\\u');
    const value: unknown = isPlain ? JSON.parse(text) : JSON.parse(text, withoutPrototype);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function withoutPrototype(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
