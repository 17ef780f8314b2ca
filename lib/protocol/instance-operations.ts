import { type Operation, unexpected } from './operation.js';
import { jsonObject } from './json-object.js';
import * as decode from './decode.js';
import { consumerHeader, instanceParameters, serviceParameters } from './ids.js';
import type { HttpReply } from './send.js';
import { command } from './service-operations.js';
import type {
  Environment,
  HeartbeatResult,
  InstanceRef,
  InstanceStatus,
  MicroserviceInstance,
} from './wire.js';

/** An instance as the registry stores it: its id is always there. */
export type StoredInstance = MicroserviceInstance & { readonly instanceId: string };

/** Whom to find. The server ignores versions (since 2.1.0): choose among the answer's own. */
export interface FindQuery {
  readonly appId: string;
  readonly serviceName: string;
  /** Environment of the provider. With a `consumerId`, the consumer's own stands instead. */
  readonly environment?: Environment | undefined;
  /** serviceId of the one who asks: must exist; the registry records the dependency. */
  readonly consumerId?: string | undefined;
  /** Revision of the answer at hand; an unchanged registry then answers without the list. */
  readonly revision?: string | undefined;
  /** Read the store itself instead of the server's cache, which lags. @default false */
  readonly noCache?: boolean | undefined;
}

/** The instances of a provider, or word that they are those of the revision that was sent. */
export type Found =
  | {
      readonly modified: true;
      readonly revision: string | undefined;
      readonly instances: readonly StoredInstance[];
    }
  | { readonly modified: false };

/** Operations on instances. */
export const instanceOperations = {
  register: (serviceId: string, instance: MicroserviceInstance): Operation<string> => ({
    name: 'registerInstance',
    parameters: serviceParameters(serviceId),
    body: { instance },
    expected: 'an instanceId',
    decode: decode.instanceId,
  }),

  list: (serviceId: string, noCache: boolean): Operation<readonly StoredInstance[]> => ({
    name: 'listInstances',
    parameters: serviceParameters(serviceId),
    query: { noCache: flag(noCache) },
    mayBeLong: true,
    expected: 'a list of instances',
    decode: decode.list('instances', decode.isInstance),
  }),

  get: (ref: InstanceRef, noCache: boolean): Operation<StoredInstance> => ({
    name: 'getInstance',
    parameters: instanceParameters(ref),
    query: { noCache: flag(noCache) },
    expected: 'an instance',
    decode: decode.field('instance', decode.isInstance),
  }),

  unregister: (ref: InstanceRef): Operation<undefined> =>
    command('unregisterInstance', instanceParameters(ref)),

  setProperties: (
    ref: InstanceRef,
    properties: Readonly<Record<string, string>>,
  ): Operation<undefined> =>
    command('setInstanceProperties', instanceParameters(ref), { properties }),

  setStatus: (ref: InstanceRef, status: InstanceStatus): Operation<undefined> =>
    command('setInstanceStatus', instanceParameters(ref), undefined, { value: status }),

  heartbeat: (ref: InstanceRef): Operation<undefined> =>
    command('heartbeat', instanceParameters(ref)),

  heartbeats: (refs: readonly InstanceRef[]): Operation<readonly HeartbeatResult[]> => ({
    name: 'heartbeats',
    body: { instances: refs },
    mayBeLong: true,
    expected: 'a list of results',
    decode: decode.list('instances', decode.isHeartbeatResult),
  }),

  find: (query: FindQuery): Operation<Found> => ({
    name: 'findInstances',
    query: {
      appId: query.appId,
      serviceName: query.serviceName,
      // Servers up to 2.0.0 demand a version rule; this one means all. Later ones ignore it.
      version: '0.0.0+',
      env: query.environment,
      rev: query.revision,
      noCache: flag(query.noCache ?? false),
    },
    headers: query.consumerId === undefined ? {} : consumerHeader(query.consumerId),
    otherStatus: 304,
    mayBeLong: true,
    expected: 'a list of instances',
    decode: found,
  }),

  health: (): Operation<readonly StoredInstance[]> => ({
    name: 'getHealth',
    mayBeLong: true,
    expected: 'a list of instances',
    decode: decode.list('instances', decode.isInstance),
  }),
};

function found(reply: HttpReply): Found | typeof unexpected {
  if (reply.status === 304) return { modified: false };
  const instances = decode.listOf(jsonObject(reply.body), 'instances', decode.isInstance);
  if (instances === unexpected) return unexpected;
  return { modified: true, revision: reply.headers['x-resource-revision'], instances };
}

function flag(value: boolean): string | undefined {
  return value ? '1' : undefined;
}
