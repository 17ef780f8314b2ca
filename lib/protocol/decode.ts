import { unexpected } from './operation.js';
import { isRecord, jsonObject } from './json-object.js';
import { isInstanceId, isServiceId } from './ids.js';
import type { HttpReply } from './send.js';
import type {
  DataCenterInfo,
  HealthCheck,
  HeartbeatResult,
  Microservice,
  MicroserviceInstance,
  Schema,
  ServiceCenterVersion,
} from './wire.js';

/** Reads a reply into a value, or says that it is not one. */
export type Decode<T> = (reply: HttpReply) => T | typeof unexpected;

/**
 * No body, the word `Success` that the older cloud API documents, or `{}`, which a gateway makes of an
 * empty answer. Anything else is somebody else's page.
 */
export const nothing: Decode<undefined> = ({ body }) =>
  ['', 'Success', '{}'].includes(body.trim()) ? undefined : unexpected;

/** The value in a field of a JSON body. */
export function field<T>(name: string, is: (value: unknown) => value is T): Decode<T> {
  return ({ body }) => {
    const value = jsonObject(body)?.[name];
    return is(value) ? value : unexpected;
  };
}

/** The list in a field of a JSON body; the server leaves the field out when the list is empty. */
export function list<T>(name: string, is: (value: unknown) => value is T): Decode<readonly T[]> {
  return ({ body }) => listOf(jsonObject(body), name, is);
}

/** The list in a field of an object that was read already. */
export function listOf<T>(
  object: Readonly<Record<string, unknown>> | undefined,
  name: string,
  is: (value: unknown) => value is T,
): readonly T[] | typeof unexpected {
  if (object === undefined) return unexpected;
  const value = object[name] ?? [];
  return Array.isArray(value) && value.every(is) ? value : unexpected;
}

/** The map of texts in a field of a JSON body; absent when empty. */
export function texts(name: string): Decode<Readonly<Record<string, string>>> {
  return ({ body }) => {
    const object = jsonObject(body);
    if (object === undefined) return unexpected;
    const value = object[name] ?? {};
    return isTexts(value) ? value : unexpected;
  };
}

/** The id of a service, checked before it becomes a path. */
export const serviceId: Decode<string> = field('serviceId', isServiceId);
/** The id of an instance, checked before it becomes a path. */
export const instanceId: Decode<string> = field('instanceId', isInstanceId);

/** What the registry says of itself: an object, of which nothing is required. */
export const version: Decode<ServiceCenterVersion> = ({ body }) => {
  const object = jsonObject(body);
  return isVersion(object) ? object : unexpected;
};

function isVersion(value: unknown): value is ServiceCenterVersion {
  return (
    isRecord(value) && optional(value['version'], isText) && optional(value['apiVersion'], isText)
  );
}

/** Narrows a service of an answer. */
export function isMicroservice(value: unknown): value is Microservice {
  return (
    isRecord(value) &&
    isServiceId(value['serviceId']) &&
    isText(value['serviceName']) &&
    isText(value['version']) &&
    optional(value['properties'], isTexts) &&
    optional(value['schemas'], isTextList)
  );
}

/** Narrows an instance of an answer. Its id is any text: one odd record must not cost a whole list. */
export function isInstance(value: unknown): value is MicroserviceInstance & {
  readonly instanceId: string;
} {
  return (
    isRecord(value) &&
    isText(value['instanceId']) &&
    optional(value['serviceId'], isServiceId) &&
    optional(value['hostName'], isText) &&
    optional(value['status'], isText) &&
    optional(value['endpoints'], isTextList) &&
    optional(value['properties'], isTexts) &&
    optional(value['dataCenterInfo'], isDataCenter) &&
    optional(value['healthCheck'], isHealthCheck)
  );
}

/** Narrows a schema of an answer. */
export function isSchema(value: unknown): value is Schema {
  return (
    isRecord(value) &&
    isText(value['schemaId']) &&
    optional(value['schema'], isText) &&
    optional(value['summary'], isText)
  );
}

/** Narrows one result of a batch of heartbeats. */
export function isHeartbeatResult(value: unknown): value is HeartbeatResult {
  return (
    isRecord(value) &&
    isText(value['serviceId']) &&
    isText(value['instanceId']) &&
    optional(value['errMessage'], isText)
  );
}

/** Narrows a text. */
export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every(isText);
}

function isDataCenter(value: unknown): value is DataCenterInfo {
  return isTexts(value);
}

/** A lease is computed from it, so its numbers must be there. */
function isHealthCheck(value: unknown): value is HealthCheck {
  return isRecord(value) && isCount(value['interval']) && optional(value['times'], isCount);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function optional<T>(value: unknown, is: (value: unknown) => value is T): value is T | undefined {
  return value === undefined || is(value);
}
