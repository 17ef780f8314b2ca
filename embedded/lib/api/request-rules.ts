import { goPattern } from './validation.js';
import type { Pattern, Rule, FieldRules, StructRules } from './validation.js';
import type { Quotas } from '../model/quotas.js';

/** Rules of a text field. */
export const text = (name: string, rule: Rule): FieldRules => ({ name, absent: '', rule });

/** Rules of a number field. */
const int = (name: string, rule: Rule): FieldRules => ({ name, absent: 0, rule });

/** Rules of a list field, whose items are structs if `within` is given. */
export const list = (name: string, rule?: Rule, within?: StructRules): FieldRules => ({
  name,
  absent: [],
  rule,
  within,
});

/** Rules of a field that maps texts to texts. */
const map = (name: string, rule: Rule): FieldRules => ({ name, absent: {}, rule });

/** Rules of a field that contains a struct; with a `rule` it is required. */
const struct = (name: string, within: StructRules, rule?: Rule): FieldRules => ({
  name,
  absent: undefined,
  rule,
  within,
});

/** Rule of a required value. */
const required: Rule = { min: 1 };

const exactVersion = /^\d+(\.\d+){0,3}$/;

/**
 * Up to four unsigned numbers of 15 bits (pkg/validate/version_func.go); the empty text is not a
 * version.
 */
const version: Pattern = {
  text: 'the form x[.y[.z]] where x y and z are 0-32767 range',
  test: value => exactVersion.test(value) && value.split('.').every(part => Number(part) <= 32_767),
};

const fuzzyVersion = /^(\d+(\.\d+){0,2}\+?|\d+(\.\d+){0,2}-\d+(\.\d+){0,2}|latest)?$/;

/** An exact version, a minimum, a range or the latest; may be empty. */
const versionRule: Pattern = {
  text: "the form x[.y[.z]] or x[.y[.z]]+ or x[.y[.z]]-x[.y[.z]] or 'latest' where x y and z are 0-32767 range",
  test: value =>
    fuzzyVersion.test(value) && (value.match(/\d+/g) ?? []).every(part => Number(part) <= 32_767),
};

const simpleName = goPattern('^[A-Za-z0-9_.-]+$');
const noSpace = goPattern(String.raw`^\S*$`);
const someText = goPattern(String.raw`\S+`);
const name = goPattern(String.raw`^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9]$`);
const nameOrAlias = goPattern(String.raw`^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.:]*[a-zA-Z0-9]$`);

/** Rules that several requests share (server/service/validator). */
const rules = {
  serviceId: { min: 1, max: 64, pattern: noSpace },
  serviceIds: { min: 1, pattern: goPattern(String.raw`^\S{1,64}$`) },
  optionalServiceId: { max: 64, pattern: noSpace },
  instanceId: { min: 1, max: 64, pattern: goPattern('^[A-Za-z0-9_.-]*$') },
  optionalInstanceId: { max: 64, pattern: goPattern('^[A-Za-z0-9_.-]*$') },
  hostName: { min: 1, max: 64, pattern: someText },
  endpoints: { pattern: someText },
  status: { pattern: goPattern('^(UP|DOWN|STARTING|TESTING|OUTOFSERVICE)?$') },
  newStatus: { pattern: goPattern('^(UP|DOWN|STARTING|TESTING|OUTOFSERVICE)$') },
  mode: { pattern: goPattern('^(push|pull)$') },
  port: { max: 65_535 },
  interval: { min: 1, max: 2_147_483_647 },
  times: { max: 2_147_483_647 },
  url: { pattern: noSpace },
  dataCenterPart: { min: 1, max: 128, pattern: simpleName },
  environment: { pattern: goPattern('^(development|testing|acceptance|production)*$') },
  appId: { min: 1, max: 160, pattern: name },
  optionalAppId: { max: 160, pattern: name },
  serviceName: { min: 1, max: 128, pattern: name },
  wantedName: { min: 1, max: 289, pattern: nameOrAlias },
  version: { min: 1, max: 64, pattern: version },
  versionRule: { max: 128, pattern: versionRule },
  requiredVersionRule: { min: 1, max: 129, pattern: versionRule },
  optionalVersion: { max: 64, pattern: version },
  description: { max: 256 },
  level: { pattern: goPattern('^(FRONT|MIDDLE|BACK)$') },
  serviceStatus: { pattern: goPattern('^(UP|DOWN)?$') },
  schemas: {
    pattern: goPattern(
      String.raw`^[a-zA-Z0-9]{1,160}$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]{0,158}[a-zA-Z0-9]$`,
    ),
  },
  path: { pattern: goPattern(String.raw`^[A-Za-z0-9.,?'\\/+&amp;%$#=~_\-@{}]*$`) },
  alias: { max: 128, pattern: goPattern(String.raw`^[a-zA-Z0-9_\-.:]*$`) },
  registerBy: { max: 64, pattern: goPattern('^(SDK|SIDECAR|PLATFORM)*$') },
  frameworkName: { max: 64, pattern: name },
  frameworkVersion: { max: 64 },
  tag: { pattern: goPattern(String.raw`^[a-zA-Z][a-zA-Z0-9_\-.]{0,63}$`) },
  schemaId: {
    min: 1,
    max: 160,
    pattern: goPattern(String.raw`^[a-zA-Z0-9]+$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9]$`),
  },
  summary: { min: 1, max: 128, pattern: goPattern('^[a-zA-Z0-9]*$') },
  optionalSummary: { max: 128, pattern: goPattern('^[a-zA-Z0-9]*$') },
} as const satisfies Record<string, Rule>;

const { tag } = rules;
const ref = [text('ServiceId', rules.serviceId), text('InstanceId', rules.instanceId)];

const wantedKey = [
  text('Environment', rules.environment),
  text('AppId', rules.appId),
  text('ServiceName', rules.wantedName),
];

const findInstances = (version: StructRules['fields'] = []): StructRules => ({
  type: 'FindInstancesRequest',
  fields: [
    text('ConsumerServiceId', rules.optionalServiceId),
    text('AppId', rules.appId),
    text('ServiceName', rules.wantedName),
    ...version,
    list('Tags', tag),
    text('Environment', rules.environment),
  ],
});

const batchFind = (key: StructRules['fields']): StructRules => ({
  type: 'BatchFindInstancesRequest',
  fields: [
    text('ConsumerServiceId', rules.optionalServiceId),
    list('Services', undefined, {
      type: 'FindService',
      fields: [struct('Service', { type: 'MicroServiceKey', fields: key }, required)],
    }),
    list('Instances', undefined, {
      type: 'FindInstance',
      fields: [struct('Instance', { type: 'HeartbeatSetElement', fields: ref }, required)],
    }),
  ],
});

const healthCheck: StructRules = {
  type: 'HealthCheck',
  fields: [
    text('Mode', rules.mode),
    int('Port', rules.port),
    int('Interval', rules.interval),
    int('Times', rules.times),
    text('Url', rules.url),
  ],
};

const dataCenterInfo: StructRules = {
  type: 'DataCenterInfo',
  fields: ['Name', 'Region', 'AvailableZone'].map(part => text(part, rules.dataCenterPart)),
};

const instance: StructRules = {
  type: 'MicroServiceInstance',
  fields: [
    text('InstanceId', rules.optionalInstanceId),
    text('ServiceId', rules.serviceId),
    list('Endpoints', rules.endpoints),
    text('HostName', rules.hostName),
    text('Status', rules.status),
    struct('HealthCheck', healthCheck),
    struct('DataCenterInfo', dataCenterInfo),
  ],
};

const byServiceId = (type: string): StructRules => ({
  type,
  fields: [text('ServiceId', rules.serviceId)],
});

/** Rules of each request, by the name of its struct in the server (server/service/validator). */
export const requestRules = {
  getService: byServiceId('GetServiceRequest'),
  deleteService: byServiceId('DeleteServiceRequest'),
  deleteServices: {
    type: 'DelServicesRequest',
    fields: [list('ServiceIds', rules.serviceIds)],
  },
  serviceProperties: byServiceId('UpdateServicePropsRequest'),
  getExistence: {
    type: 'GetExistenceRequest',
    fields: [
      text('AppId', rules.appId),
      text('ServiceName', rules.wantedName),
      text('Version', rules.version),
      text('Environment', rules.environment),
    ],
  },
  getTags: byServiceId('GetServiceTagsRequest'),
  setTag: {
    type: 'UpdateServiceTagRequest',
    fields: [text('ServiceId', rules.serviceId), text('Key', tag), text('Value', tag)],
  },
  getSchema: {
    type: 'GetSchemaRequest',
    fields: [text('ServiceId', rules.serviceId), text('SchemaId', rules.schemaId)],
  },
  deleteSchema: {
    type: 'DeleteSchemaRequest',
    fields: [text('ServiceId', rules.serviceId), text('SchemaId', rules.schemaId)],
  },
  listSchemas: byServiceId('GetAllSchemaRequest'),
  modifySchema: {
    type: 'ModifySchemaRequest',
    fields: [
      text('ServiceId', rules.serviceId),
      text('SchemaId', rules.schemaId),
      text('Schema', required),
      text('Summary', rules.optionalSummary),
    ],
  },
  registerInstance: {
    type: 'RegisterInstanceRequest',
    fields: [struct('Instance', instance, required)],
  },
  unregisterInstance: { type: 'UnregisterInstanceRequest', fields: ref },
  heartbeat: { type: 'HeartbeatRequest', fields: ref },
  instanceStatus: {
    type: 'UpdateInstanceStatusRequest',
    fields: [...ref, text('Status', rules.newStatus)],
  },
  instanceProperties: { type: 'UpdateInstancePropsRequest', fields: ref },
  getInstance: {
    type: 'GetOneInstanceRequest',
    fields: [
      text('ConsumerServiceId', rules.optionalServiceId),
      text('ProviderServiceId', rules.serviceId),
      text('ProviderInstanceId', rules.instanceId),
      list('Tags', tag),
    ],
  },
  listInstances: {
    type: 'GetInstancesRequest',
    fields: [
      text('ConsumerServiceId', rules.optionalServiceId),
      text('ProviderServiceId', rules.serviceId),
      list('Tags', tag),
    ],
  },
  findInstances: findInstances(),
  /** Version 2.0 and earlier of the server required it (validator/instance_validator.go). */
  findByVersion: findInstances([text('VersionRule', rules.requiredVersionRule)]),
  batchFind: batchFind(wantedKey),
  batchFindByVersion: batchFind([...wantedKey, text('Version', rules.requiredVersionRule)]),
  getApps: { type: 'GetAppsRequest', fields: [text('Environment', rules.environment)] },
  dependencies: byServiceId('GetDependenciesRequest'),
} as const satisfies Record<string, StructRules>;

const service = (maxSchemas: number): StructRules => ({
  type: 'MicroService',
  fields: [
    text('ServiceId', rules.optionalServiceId),
    text('AppId', rules.optionalAppId),
    text('ServiceName', rules.serviceName),
    text('Version', rules.optionalVersion),
    text('Description', rules.description),
    text('Level', rules.level),
    list('Schemas', { ...rules.schemas, max: maxSchemas }),
    list('Paths', undefined, { type: 'ServicePath', fields: [text('Path', rules.path)] }),
    text('Status', rules.serviceStatus),
    text('Alias', rules.alias),
    text('Environment', rules.environment),
    text('RegisterBy', rules.registerBy),
    struct('Framework', {
      type: 'FrameWork',
      fields: [text('Name', rules.frameworkName), text('Version', rules.frameworkVersion)],
    }),
  ],
});

const schema: StructRules = {
  type: 'Schema',
  fields: [
    text('SchemaId', rules.schemaId),
    text('Summary', rules.summary),
    text('Schema', required),
  ],
};

/** Rules that depend on a quota; a quota of 0 means no limit. */
export const quotaRules = {
  createService: ({ schemas }) => ({
    type: 'CreateServiceRequest',
    fields: [struct('Service', service(schemas), required)],
  }),
  setTags: ({ tags }) => ({
    type: 'AddServiceTagsRequest',
    fields: [text('ServiceId', rules.serviceId), map('Tags', { ...rules.tag, max: tags })],
  }),
  removeTags: ({ tags }) => ({
    type: 'DeleteServiceTagsRequest',
    fields: [text('ServiceId', rules.serviceId), list('Keys', { ...rules.tag, min: 1, max: tags })],
  }),
  modifySchemas: ({ schemas }) => ({
    type: 'ModifySchemasRequest',
    fields: [text('ServiceId', rules.serviceId), list('Schemas', { min: 1, max: schemas }, schema)],
  }),
} as const satisfies Record<string, (quotas: Quotas) => StructRules>;

const consumer: StructRules = {
  type: 'MicroServiceKey',
  fields: [
    text('Environment', rules.environment),
    text('AppId', rules.appId),
    text('ServiceName', rules.serviceName),
    text('Version', rules.version),
  ],
};

const provider: StructRules = {
  type: 'MicroServiceKey',
  fields: [
    text('Environment', rules.environment),
    text('AppId', rules.optionalAppId),
    text('ServiceName', rules.serviceName),
    text('Version', rules.versionRule),
  ],
};

const dependencies = { min: 1, max: 100 };

/**
 * Rules of dependency writes (server/service/validator/dependency_validator.go). Only POST requires
 * providers: PUT without providers removes all dependencies of a consumer.
 */
export const dependencyRules = {
  add: {
    type: 'AddDependenciesRequest',
    fields: [
      list('Dependencies', dependencies, {
        type: 'ConsumerDependency',
        fields: [struct('Consumer', consumer, required), list('Providers', { min: 1 }, provider)],
      }),
    ],
  },
  put: {
    type: 'CreateDependenciesRequest',
    fields: [
      list('Dependencies', dependencies, {
        type: 'ConsumerDependency',
        fields: [struct('Consumer', consumer, required), list('Providers', undefined, provider)],
      }),
    ],
  },
} as const satisfies Record<string, StructRules>;
