import { ServiceCenterResponseError } from '../errors.js';
import type { Caller } from './call.js';
import { ErrorCode } from './error-codes.js';
import {
  type FindQuery,
  type Found,
  instanceOperations,
  type StoredInstance,
} from './instance-operations.js';
import type { CallOptions } from './operation.js';
import { serviceOperations } from './service-operations.js';
import type {
  HeartbeatResult,
  InstanceRef,
  InstanceStatus,
  Microservice,
  MicroserviceInstance,
  MicroserviceKey,
  Schema,
  ServiceCenterVersion,
} from './wire.js';

/** How fresh a read must be. */
export interface ReadOptions extends CallOptions {
  /** Read the store itself instead of the server's cache, which lags. @default false */
  readonly noCache?: boolean | undefined;
}

/**
 * Service Center's API v4, one method per operation. Each resolves with the decoded answer and rejects
 * with a `ServiceCombError`; an id that cannot be one is a RangeError, and nothing is sent then.
 *
 * A request that finds no answer, or a busy registry, is sent once more to the next address; nothing
 * else is repeated.
 */
export class ServiceCenterClient {
  readonly #caller: Caller;

  /** @internal Made by the module: inject it. */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** The address that the next request goes to. */
  get address(): string {
    return this.#caller.addresses.current;
  }

  /** Rejects with errorCode 400012 when there is no such service, 400026 when not in this version. */
  async findServiceId(key: MicroserviceKey, options?: CallOptions): Promise<string> {
    return this.#caller.call(serviceOperations.existence(key), options);
  }

  /** Creates a service, or resolves with the id of the one that exists, which is left as it is. */
  async registerMicroservice(
    service: Microservice,
    {
      tags,
      ...options
    }: CallOptions & { readonly tags?: Readonly<Record<string, string>> | undefined } = {},
  ): Promise<string> {
    return this.#caller.call(serviceOperations.register(service, tags ?? {}), options);
  }

  /** All services of the project but the shared ones, in no order. */
  async listMicroservices(options?: CallOptions): Promise<readonly Microservice[]> {
    return this.#caller.call(serviceOperations.list(), options);
  }

  /** One service. Rejects with errorCode 400012 when it does not exist. */
  async getMicroservice(serviceId: string, options?: CallOptions): Promise<Microservice> {
    return this.#caller.call(serviceOperations.get(serviceId), options);
  }

  /** Removes a service. Refused while it has instances or consumers, unless `force` is set. */
  async unregisterMicroservice(
    serviceId: string,
    { force, ...options }: CallOptions & { readonly force?: boolean | undefined } = {},
  ): Promise<void> {
    await this.#caller.call(serviceOperations.unregister(serviceId, force ?? false), options);
  }

  /** Replaces all properties of a service. */
  async setMicroserviceProperties(
    serviceId: string,
    properties: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<void> {
    await this.#caller.call(serviceOperations.setProperties(serviceId, properties), options);
  }

  /** Tags of a service; empty when it has none. */
  async getTags(
    serviceId: string,
    options?: CallOptions,
  ): Promise<Readonly<Record<string, string>>> {
    return this.#caller.call(serviceOperations.getTags(serviceId), options);
  }

  /** Replaces all tags of a service. */
  async setTags(
    serviceId: string,
    tags: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<void> {
    await this.#caller.call(serviceOperations.setTags(serviceId, tags), options);
  }

  /** Schemas of a service in no order, declared ones that were never uploaded included. */
  async listSchemas(
    serviceId: string,
    { withSchema, ...options }: CallOptions & { readonly withSchema?: boolean | undefined } = {},
  ): Promise<readonly Schema[]> {
    return this.#caller.call(
      serviceOperations.listSchemas(serviceId, withSchema ?? false),
      options,
    );
  }

  /** Text of one schema. Rejects with errorCode 400016 when it was never uploaded. */
  async getSchema(serviceId: string, schemaId: string, options?: CallOptions): Promise<string> {
    return this.#caller.call(serviceOperations.getSchema(serviceId, schemaId), options);
  }

  /** Uploads one schema, new or changed. */
  async setSchema(serviceId: string, schema: Schema, options?: CallOptions): Promise<void> {
    await this.#caller.call(serviceOperations.setSchema(serviceId, schema), options);
  }

  /** Removes one schema. Rejects with errorCode 400016 when it is not there. */
  async removeSchema(serviceId: string, schemaId: string, options?: CallOptions): Promise<void> {
    await this.#caller.call(serviceOperations.removeSchema(serviceId, schemaId), options);
  }

  /**
   * Registers an instance and resolves with its id. One whose id is registered already has its lease
   * renewed and nothing else: the stored record stays as it was (datasource/etcd/ms.go).
   */
  async registerInstance(
    serviceId: string,
    instance: MicroserviceInstance,
    options?: CallOptions,
  ): Promise<string> {
    return this.#caller.call(instanceOperations.register(serviceId, instance), options);
  }

  /** Instances of one service, in no order and whatever their status. */
  async listInstances(
    serviceId: string,
    { noCache, ...options }: ReadOptions = {},
  ): Promise<readonly StoredInstance[]> {
    return this.#caller.call(instanceOperations.list(serviceId, noCache ?? false), options);
  }

  /** One instance. Rejects with errorCode 400017 when it is not registered. */
  async getInstance(
    ref: InstanceRef,
    { noCache, ...options }: ReadOptions = {},
  ): Promise<StoredInstance> {
    const stored = await this.#caller.call(instanceOperations.get(ref, noCache ?? false), options);
    // The server looks the id up as a prefix (datasource/etcd/cache/filter_instances.go).
    if (stored.instanceId !== ref.instanceId)
      throw new ServiceCenterResponseError('getInstance', this.address, {
        status: 400,
        errorCode: ErrorCode.InstanceNotExists,
        detail: 'another instance came instead, whose id begins with this one',
      });
    return stored;
  }

  /** Removes an instance and its lease. Rejects with errorCode 400017 when it is gone already. */
  async unregisterInstance(ref: InstanceRef, options?: CallOptions): Promise<void> {
    await this.#caller.call(instanceOperations.unregister(ref), options);
  }

  /** Replaces all properties of an instance. Does not renew its lease. */
  async setInstanceProperties(
    ref: InstanceRef,
    properties: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<void> {
    await this.#caller.call(instanceOperations.setProperties(ref, properties), options);
  }

  /** Changes the status of an instance. Does not renew its lease. */
  async setInstanceStatus(
    ref: InstanceRef,
    status: InstanceStatus,
    options?: CallOptions,
  ): Promise<void> {
    await this.#caller.call(instanceOperations.setStatus(ref, status), options);
  }

  /**
   * Renews the lease of an instance. Rejects with errorCode 400017 when the registry does not know it.
   * A success is no proof: the server renews asynchronously and reports the renewal before this one.
   */
  async sendHeartbeat(ref: InstanceRef, options?: CallOptions): Promise<void> {
    await this.#caller.call(instanceOperations.heartbeat(ref), options);
  }

  /** Renews several leases at once. Failures are in the results; in no order. */
  async sendHeartbeats(
    refs: readonly InstanceRef[],
    options?: CallOptions,
  ): Promise<readonly HeartbeatResult[]> {
    return this.#caller.call(instanceOperations.heartbeats(refs), options);
  }

  /** Instances of a provider in all versions and whatever their status; 400012 when there is none. */
  async findInstances(query: FindQuery, options?: CallOptions): Promise<Found> {
    return this.#caller.call(instanceOperations.find(query), options);
  }

  /** The registry's own instances. Says nothing about whether it can write (measured on a real one). */
  async getHealth(options?: CallOptions): Promise<readonly StoredInstance[]> {
    return this.#caller.call(instanceOperations.health(), options);
  }

  /** What the registry says of itself. */
  async getVersion(options?: CallOptions): Promise<ServiceCenterVersion> {
    return this.#caller.call(serviceOperations.version(), options);
  }
}
