import { quotaRules, requestRules } from '../api/request-rules.js';
import { readCreateService } from '../api/request-bodies.js';
import type { CreateServiceBody } from '../api/request-bodies.js';
import { validate } from '../api/validation.js';
import { systemClock } from '../clock.js';
import {
  asRequestedService,
  checkedInstance,
  withDefaults,
} from '../handlers/registration-requests.js';
import { registryErrorMessage, invalid } from '../model/registry-error.js';
import { registerInstance } from '../model/instance-operations.js';
import type { Namespace } from '../model/namespace.js';
import { RegistryModel } from '../model/registry-model.js';
import { putSchema } from '../model/schema-operations.js';
import { registerService, replaceTags } from '../model/service-operations.js';
import { dataOf } from './dump.js';
import { RegistryDataError, isRegistryData } from './registry-data.js';
import type { InstanceData, RegistryData, ServiceData } from './registry-data.js';

/**
 * Adds services and instances to a registry; their leases start in full. One that exists already is
 * an error.
 *
 * @throws RegistryDataError that lists every issue; nothing has been added then
 */
export function load(model: RegistryModel, document: unknown): void {
  const issues: string[] = [];
  if (isRegistryData(document, issues)) {
    const trial = new RegistryModel(systemClock, {
      floors: model.floors,
      quotas: model.quotas,
      sharedServices: model.shared.sharedServices,
    });
    addAll(trial, dataOf(model));
    issues.push(...addAll(trial, document));
    if (issues.length === 0) addAll(model, document);
  }
  if (issues.length > 0) throw new RegistryDataError(issues);
}

/** Adds everything that is valid and returns the issues of the rest. */
function addAll(model: RegistryModel, { revision = 0, services }: RegistryData): string[] {
  model.raiseRevision(revision);
  return services.flatMap((data, at) => new ServiceLoader(model, data, `services[${at}]`).load());
}

/** Adds one service of a document to a registry. */
class ServiceLoader {
  readonly #model: RegistryModel;
  readonly #data: ServiceData;
  readonly #path: string;
  readonly #issues: string[] = [];

  constructor(model: RegistryModel, data: ServiceData, path: string) {
    this.#model = model;
    this.#data = data;
    this.#path = path;
  }

  /**
   * Adds the service with its tags, schemas, instances and dependencies, and returns the issues.
   */
  load(): readonly string[] {
    const { domain = 'default', project = 'default', instances = [], schemas = {} } = this.#data;
    const namespace = this.#model.namespace(domain, project);
    const body = readCreateService(this.#data);
    let serviceId = '';
    const isAdded = this.#try('service', () => {
      serviceId = this.#service(namespace, body);
    });
    if (!isAdded) return this.#issues;
    this.#try('tags', () => this.#tags(namespace, serviceId, body));
    for (const [schemaId, { schema, summary = '' }] of Object.entries(schemas))
      this.#try(`schemas[${JSON.stringify(schemaId)}]`, () => {
        const ref = { serviceId, schemaId };
        validate(requestRules.modifySchema, { ...ref, schema, summary });
        putSchema(namespace, ref, { content: schema, summary });
      });
    for (const [at, data] of instances.entries())
      this.#try(`instances[${at}]`, () => this.#instance(namespace, serviceId, { data, body, at }));
    this.#dependencies(namespace, serviceId);
    return this.#issues;
  }

  #try(part: string, act: () => void): boolean {
    const failure = registryErrorMessage(act);
    if (failure !== undefined) this.#issues.push(`${this.#path}.${part}: ${failure}`);
    return failure === undefined;
  }

  #service(namespace: Namespace, body: CreateServiceBody): string {
    if (body.service === undefined) throw invalid('a service is missing');
    const service = withDefaults(body.service);
    validate(quotaRules.createService(this.#model.quotas), { service });
    const requested = asRequestedService(service);
    const { services, shared } = namespace;
    const { serviceId: wantedId = '' } = requested;
    if (services.holderOf(requested) !== undefined || services.get(wantedId) !== undefined)
      throw invalid('a service with this id, name and version, or alias exists already');
    const serviceId = registerService(namespace, requested);
    const { timestamp = shared.timestamp(), modTimestamp = timestamp } = this.#data.service;
    const record = namespace.requireService(serviceId);
    record.service = { ...record.service, timestamp, modTimestamp };
    return serviceId;
  }

  #tags(namespace: Namespace, serviceId: string, { tags }: CreateServiceBody): void {
    if (tags === undefined) return;
    validate(quotaRules.setTags(this.#model.quotas), { serviceId, tags });
    replaceTags(namespace, serviceId, new Map(Object.entries(tags)));
  }

  /** Any status is accepted, because PUT instances/status accepts any. */
  #instance(
    namespace: Namespace,
    serviceId: string,
    { data, body, at }: { data: InstanceData; body: CreateServiceBody; at: number },
  ): void {
    const item = body.instances?.[at];
    const checked = checkedInstance(item && { ...item, status: undefined }, serviceId);
    const { status = 'UP', timestamp = namespace.shared.timestamp() } = data;
    const { modTimestamp = timestamp } = data;
    const { instanceId = '' } = checked;
    if (namespace.services.get(serviceId)?.instances.has(instanceId))
      throw invalid('an instance with this id exists already');
    const requested = { ...checked, status: status || undefined };
    registerInstance(namespace, serviceId, requested, { timestamp, modTimestamp });
  }

  #dependencies({ dependencies }: Namespace, serviceId: string): void {
    const { service, dependsOn = [] } = this.#data;
    for (const { appId = service.appId ?? 'default', ...provider } of dependsOn)
      dependencies.add(serviceId, { ...provider, appId }, -Infinity);
  }
}
