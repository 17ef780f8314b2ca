import { int, list, required, rules, struct, text } from './field-rules.js';
import type { StructRules } from './validation.js';

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

/** How each request is checked, by the name its struct has in the server (server/service/validator). */
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
  /** As version 2.0 of the server and before had it (validator/instance_validator.go). */
  findByVersion: findInstances([text('VersionRule', rules.requiredVersionRule)]),
  batchFind: batchFind(wantedKey),
  batchFindByVersion: batchFind([...wantedKey, text('Version', rules.requiredVersionRule)]),
  getApps: { type: 'GetAppsRequest', fields: [text('Environment', rules.environment)] },
  dependencies: byServiceId('GetDependenciesRequest'),
} as const satisfies Record<string, StructRules>;
