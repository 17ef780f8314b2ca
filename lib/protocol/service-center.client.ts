import { ServiceCenterResponseError } from '../errors.js';
import { batchBody, batchOf, type BatchQuery } from './batch-find.js';
import type { CallOptions, Channel, Operation } from './channel.js';
import { ErrorCode } from './error-codes.js';
import {
  consumerHeader,
  emptyBody,
  fieldOf,
  type FindQuery,
  type Found,
  type HeartbeatResult,
  type HttpReply,
  type InstanceRef,
  instanceParameters,
  type InstanceStatus,
  isHeartbeatResult,
  isInstance,
  isInstanceId,
  isMicroservice,
  isSchema,
  isServiceId,
  isText,
  listOf,
  type Microservice,
  type MicroserviceInstance,
  type MicroserviceKey,
  type Schema,
  serverVersion,
  type ServiceCenterVersion,
  serviceParameters,
  type StoredInstance,
  type Texts,
  textsOf,
  unexpected,
} from './wire.js';

/** Bounds of a read, and how fresh it must be. */
export interface ReadOptions extends CallOptions {
  /** Read the store itself instead of the server's cache, which lags. @default false */
  readonly noCache?: boolean | undefined;
}

/** Bounds of a batch of finds, who asks, and how fresh the answer must be. */
export interface BatchOptions extends ReadOptions {
  /** serviceId of the consumer: it must exist, and the registry records the dependencies. */
  readonly consumerId?: string | undefined;
}

/** The expected answers: their name in an error, how to read them, and whether they grow. */
const nothing = { expected: 'an empty body', decode: emptyBody };
const serviceIdAnswer = { expected: 'a serviceId', decode: fieldOf('serviceId', isServiceId) };
const serviceAnswer = { expected: 'a service', decode: fieldOf('service', isMicroservice) };
const tagsAnswer = { expected: 'a map of tags', decode: textsOf('tags') };
const schemaAnswer = {
  expected: 'a schema',
  decode: fieldOf('schema', isText),
  mayBeLong: true,
};
const instanceIdAnswer = { expected: 'an instanceId', decode: fieldOf('instanceId', isInstanceId) };
const instanceAnswer = { expected: 'an instance', decode: fieldOf('instance', isInstance) };
const versionAnswer = { expected: 'a version', decode: serverVersion };
const services = listAnswer('a list of services', 'services', isMicroservice);
const providers = listAnswer('a list of services', 'providers', isMicroservice);
const consumers = listAnswer('a list of services', 'consumers', isMicroservice);
const schemas = listAnswer('a list of schemas', 'schemas', isSchema);
const instances = listAnswer('a list of instances', 'instances', isInstance);
const heartbeatResults = listAnswer('a list of results', 'instances', isHeartbeatResult);

function listAnswer<T>(expected: string, field: string, is: (value: unknown) => value is T) {
  return { expected, decode: listOf(field, is), mayBeLong: true };
}

/**
 * Service Center's API v4, one method per operation. Each resolves with the decoded answer and rejects
 * with a `ServiceCombError`. An invalid id rejects with a RangeError, and nothing is sent.
 *
 * Only a request that gets no answer, or meets a busy registry, is repeated: once, at the next address.
 *
 * @example
 * constructor(private readonly serviceCenter: ServiceCenterClient) {}
 *
 * async addressesOf(serviceName: string): Promise<readonly string[]> {
 *   const found = await this.serviceCenter.findInstances({ appId: 'default', serviceName });
 *   return found.modified ? found.instances.flatMap(({ endpoints = [] }) => endpoints) : [];
 * }
 */
export class ServiceCenterClient {
  readonly #channel: Channel;
  /** The last instance that a heartbeat was sent for, and the operation: it is mostly the same one again. */
  #heartbeat: (InstanceRef & { readonly operation: Operation<undefined> }) | undefined;

  /** @internal Created by the module: inject the client instead. */
  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** The address that the next request goes to. */
  get address(): string {
    return this.#channel.addresses.current;
  }

  /** Rejects with errorCode 400012 when there is no such service, 400026 when not in this version. */
  async findServiceId(key: MicroserviceKey, options?: CallOptions): Promise<string> {
    const { appId, serviceName, version, environment: env } = key;
    const query = { type: 'microservice', appId, serviceName, version, env };
    return this.#call({ name: 'getExistence', query, ...serviceIdAnswer }, options);
  }

  /** Creates a service, or resolves with the id of the existing one, which stays unchanged. */
  async registerMicroservice(
    service: Microservice,
    {
      tags = {},
      ...options
    }: CallOptions & { readonly tags?: Readonly<Record<string, string>> | undefined } = {},
  ): Promise<string> {
    const body = Object.keys(tags).length === 0 ? { service } : { service, tags };
    return this.#call({ name: 'registerMicroservice', body, ...serviceIdAnswer }, options);
  }

  /** All services of the project except the shared ones, in no order. */
  async listMicroservices(options?: CallOptions): Promise<readonly Microservice[]> {
    return this.#call({ name: 'listMicroservices', ...services }, options);
  }

  /** One service. Rejects with errorCode 400012 when it does not exist. */
  async getMicroservice(serviceId: string, options?: CallOptions): Promise<Microservice> {
    const parameters = serviceParameters(serviceId);
    return this.#call({ name: 'getMicroservice', parameters, ...serviceAnswer }, options);
  }

  /** Removes a service. Refused while it has instances or consumers, unless `force` is set. */
  async unregisterMicroservice(
    serviceId: string,
    { force = false, ...options }: CallOptions & { readonly force?: boolean | undefined } = {},
  ): Promise<void> {
    const parameters = serviceParameters(serviceId);
    const query = { force: force ? 'true' : undefined };
    await this.#call({ name: 'unregisterMicroservice', parameters, query, ...nothing }, options);
  }

  /** Replaces all properties of a service. */
  async setMicroserviceProperties(
    serviceId: string,
    properties: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<void> {
    const parameters = serviceParameters(serviceId);
    const body = { properties };
    await this.#call({ name: 'setMicroserviceProperties', parameters, body, ...nothing }, options);
  }

  /** Tags of a service; empty when it has none. */
  async getTags(
    serviceId: string,
    options?: CallOptions,
  ): Promise<Readonly<Record<string, string>>> {
    const parameters = serviceParameters(serviceId);
    return this.#call({ name: 'getTags', parameters, ...tagsAnswer }, options);
  }

  /** Replaces all tags of a service. */
  async setTags(
    serviceId: string,
    tags: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<void> {
    const parameters = serviceParameters(serviceId);
    await this.#call({ name: 'setTags', parameters, body: { tags }, ...nothing }, options);
  }

  /** Schemas of a service in no order, including declared ones that were never uploaded. */
  async listSchemas(
    serviceId: string,
    { withSchema, ...options }: CallOptions & { readonly withSchema?: boolean | undefined } = {},
  ): Promise<readonly Schema[]> {
    const parameters = serviceParameters(serviceId);
    const query = { withSchema: withSchema ? '1' : '0' };
    return this.#call({ name: 'listSchemas', parameters, query, ...schemas }, options);
  }

  /** Text of one schema. Rejects with errorCode 400016 when it was never uploaded. */
  async getSchema(serviceId: string, schemaId: string, options?: CallOptions): Promise<string> {
    const parameters = { ...serviceParameters(serviceId), schemaId };
    return this.#call({ name: 'getSchema', parameters, ...schemaAnswer }, options);
  }

  /** Uploads one schema, new or changed. */
  async setSchema(
    serviceId: string,
    { schemaId, schema, summary }: Schema,
    options?: CallOptions,
  ): Promise<void> {
    const parameters = { ...serviceParameters(serviceId), schemaId };
    const body = { schema, summary };
    await this.#call({ name: 'setSchema', parameters, body, ...nothing }, options);
  }

  /** Removes one schema. Rejects with errorCode 400016 when there is none. */
  async removeSchema(serviceId: string, schemaId: string, options?: CallOptions): Promise<void> {
    const parameters = { ...serviceParameters(serviceId), schemaId };
    await this.#call({ name: 'removeSchema', parameters, ...nothing }, options);
  }

  /**
   * Registers an instance and resolves with its id. If that id is registered already, only its lease is
   * renewed: the stored record stays unchanged (datasource/etcd/ms.go).
   */
  async registerInstance(
    serviceId: string,
    instance: MicroserviceInstance,
    options?: CallOptions,
  ): Promise<string> {
    const parameters = serviceParameters(serviceId);
    const body = { instance };
    return this.#call({ name: 'registerInstance', parameters, body, ...instanceIdAnswer }, options);
  }

  /** Instances of one service, in no order and whatever their status. */
  async listInstances(
    serviceId: string,
    { noCache, ...options }: ReadOptions = {},
  ): Promise<readonly StoredInstance[]> {
    const parameters = serviceParameters(serviceId);
    const query = { noCache: flag(noCache) };
    return this.#call({ name: 'listInstances', parameters, query, ...instances }, options);
  }

  /** One instance. Rejects with errorCode 400017 when it is not registered. */
  async getInstance(
    ref: InstanceRef,
    { noCache, ...options }: ReadOptions = {},
  ): Promise<StoredInstance> {
    const parameters = instanceParameters(ref);
    const query = { noCache: flag(noCache) };
    const operation = { name: 'getInstance', parameters, query, ...instanceAnswer } as const;
    const stored = await this.#call(operation, options);
    // The server looks the id up as a prefix (datasource/etcd/cache/filter_instances.go).
    if (stored.instanceId !== ref.instanceId)
      throw new ServiceCenterResponseError('getInstance', this.address, {
        status: 200,
        errorCode: ErrorCode.InstanceNotExists,
        detail: 'it is another instance, whose id begins with this one',
      });
    return stored;
  }

  /** Removes an instance and its lease. Rejects with errorCode 400017 when it is gone already. */
  async unregisterInstance(ref: InstanceRef, options?: CallOptions): Promise<void> {
    const parameters = instanceParameters(ref);
    await this.#call({ name: 'unregisterInstance', parameters, ...nothing }, options);
  }

  /** Replaces all properties of an instance. Does not renew its lease. */
  async setInstanceProperties(
    ref: InstanceRef,
    properties: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<void> {
    const parameters = instanceParameters(ref);
    const body = { properties };
    await this.#call({ name: 'setInstanceProperties', parameters, body, ...nothing }, options);
  }

  /** Changes the status of an instance. Does not renew its lease. */
  async setInstanceStatus(
    ref: InstanceRef,
    status: InstanceStatus,
    options?: CallOptions,
  ): Promise<void> {
    const parameters = instanceParameters(ref);
    const query = { value: status };
    await this.#call({ name: 'setInstanceStatus', parameters, query, ...nothing }, options);
  }

  /**
   * Renews the lease of an instance. Rejects with errorCode 400017 when the registry does not know it.
   * A success is no proof: the server renews asynchronously and reports the result of the previous renewal.
   */
  async sendHeartbeat(ref: InstanceRef, options?: CallOptions): Promise<void> {
    await this.#call(this.#heartbeatOf(ref), options);
  }

  #heartbeatOf({ serviceId, instanceId }: InstanceRef): Operation<undefined> {
    const last = this.#heartbeat;
    if (last?.serviceId === serviceId && last.instanceId === instanceId) return last.operation;
    const parameters = instanceParameters({ serviceId, instanceId });
    const operation = { name: 'heartbeat', parameters, ...nothing } as const;
    this.#heartbeat = { serviceId, instanceId, operation };
    return operation;
  }

  /** Renews several leases at once. The results, in no order, include the failures. */
  async sendHeartbeats(
    refs: readonly InstanceRef[],
    options?: CallOptions,
  ): Promise<readonly HeartbeatResult[]> {
    const body = { instances: refs };
    return this.#call({ name: 'heartbeats', body, ...heartbeatResults }, options);
  }

  /** Instances of a provider in all versions and whatever their status; 400012 when there is none. */
  async findInstances(query: FindQuery, options?: CallOptions): Promise<Found> {
    const { appId, serviceName, environment: env, revision: rev, consumerId, tags = [] } = query;
    const operation = {
      ...instances,
      name: 'findInstances',
      // Servers up to 2.0.0 require a version rule; this one means all. Later ones ignore it.
      query: {
        appId,
        serviceName,
        version: '0.0.0+',
        env,
        rev,
        noCache: flag(query.noCache),
        tags: tags.length === 0 ? undefined : tags.join(','),
      },
      headers: consumerHeaders(consumerId),
      otherStatus: 304,
      decode: found,
    } as const;
    return this.#call(operation, options);
  }

  /**
   * Instances of several providers in one request. Resolves with one result for each provider, in their order:
   * what `findInstances` resolves with, or the error that it rejects with. Rejects when the registry refuses the
   * whole request, as it does if it cannot serve one of the providers, or if there is none.
   */
  async findInstancesInBatch(
    providers: readonly BatchQuery[],
    { consumerId, noCache, ...options }: BatchOptions = {},
  ): Promise<readonly (Found | ServiceCenterResponseError)[]> {
    const name = 'queryInstances';
    const operation = {
      name,
      query: { type: 'query', noCache: flag(noCache) },
      headers: consumerHeaders(consumerId),
      body: batchBody(providers),
      expected: 'one result for each provider',
      decode: batchOf(providers, consumerId),
      mayBeLong: true,
    } as const;
    const items = await this.#call(operation, options);
    return items.map(item => {
      if ('modified' in item) return item;
      const status = Math.floor(item.errorCode / 1_000);
      return new ServiceCenterResponseError(name, this.address, { ...item, status });
    });
  }

  /** Services that a service has found, or has declared that it depends on. The registry notes them within seconds. */
  async listProviders(serviceId: string, options?: CallOptions): Promise<readonly Microservice[]> {
    const parameters = serviceParameters(serviceId);
    return this.#call({ name: 'listProviders', parameters, ...providers }, options);
  }

  /** Services that have found a service, or have declared that they depend on it. */
  async listConsumers(serviceId: string, options?: CallOptions): Promise<readonly Microservice[]> {
    const parameters = serviceParameters(serviceId);
    return this.#call({ name: 'listConsumers', parameters, ...consumers }, options);
  }

  /** The registry's own instances. Does not tell whether the registry can write. */
  async getHealth(options?: CallOptions): Promise<readonly StoredInstance[]> {
    return this.#call({ name: 'getHealth', ...instances }, options);
  }

  /** Version and build of the registry. */
  async getVersion(options?: CallOptions): Promise<ServiceCenterVersion> {
    return this.#call({ name: 'getVersion', ...versionAnswer }, options);
  }

  #call<T>(operation: Operation<T>, options?: CallOptions): Promise<T> {
    return this.#channel.call(operation, options);
  }
}

function found(reply: HttpReply): Found | typeof unexpected {
  if (reply.status === 304) return { modified: false };
  const list = instances.decode(reply);
  if (list === unexpected) return unexpected;
  return { modified: true, revision: reply.headers['x-resource-revision'], instances: list };
}

function consumerHeaders(consumerId: string | undefined): Texts {
  return consumerId === undefined ? {} : consumerHeader(consumerId);
}

function flag(value = false): string | undefined {
  return value ? '1' : undefined;
}
