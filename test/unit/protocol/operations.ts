import { ServiceCenterResponseError } from '../../../lib/errors.js';
import type { CallOptions } from '../../../lib/protocol/channel.js';
import type { ServiceCenterClient } from '../../../lib/protocol/service-center.client.js';

/** One operation of the client: how it is asked for, what is sent, and how an answer is read. */
export interface KnownOperation {
  readonly name: string;
  readonly ask: (client: ServiceCenterClient, options?: CallOptions) => Promise<unknown>;
  /** Method and URL behind the project, `PUT /heartbeats`. */
  readonly sent: string;
  /** Body as sent; undefined for none. */
  readonly body?: unknown;
  /** An answer of the server. */
  readonly answer: unknown;
  /** What the answer is read as. */
  readonly value: unknown;
}

const ref = { serviceId: 's', instanceId: 'i' };
const key = { environment: 'production', appId: 'app', serviceName: 'orders', version: '1.0.0' };
const service = { serviceId: 's', appId: 'app', serviceName: 'orders', version: '1.0.0' };
const instance = {
  instanceId: 'i',
  serviceId: 's',
  hostName: 'host',
  endpoints: ['rest://10.0.0.7:3000'],
  status: 'UP' as const,
  healthCheck: { mode: 'push' as const, interval: 15, times: 3 },
};

/** Every method of the client, with a full answer. */
export const operations: readonly KnownOperation[] = [
  {
    name: 'findServiceId',
    ask: (client, options) => client.findServiceId(key, options),
    sent: 'GET /existence?type=microservice&appId=app&serviceName=orders&version=1.0.0&env=production',
    answer: { serviceId: 's' },
    value: 's',
  },
  {
    name: 'registerMicroservice',
    ask: (client, options) => client.registerMicroservice(key, options),
    sent: 'POST /microservices',
    body: { service: key },
    answer: { serviceId: 's' },
    value: 's',
  },
  {
    name: 'registerMicroservice with tags',
    ask: (client, options) => client.registerMicroservice(key, { tags: { team: 'a' }, ...options }),
    sent: 'POST /microservices',
    body: { service: key, tags: { team: 'a' } },
    answer: { serviceId: 's' },
    value: 's',
  },
  {
    name: 'listMicroservices',
    ask: (client, options) => client.listMicroservices(options),
    sent: 'GET /microservices',
    answer: { services: [service] },
    value: [service],
  },
  {
    name: 'getMicroservice',
    ask: (client, options) => client.getMicroservice('s', options),
    sent: 'GET /microservices/s',
    answer: { service },
    value: service,
  },
  {
    name: 'unregisterMicroservice',
    ask: (client, options) => client.unregisterMicroservice('s', options),
    sent: 'DELETE /microservices/s',
    answer: '',
    value: undefined,
  },
  {
    name: 'unregisterMicroservice by force',
    ask: (client, options) => client.unregisterMicroservice('s', { force: true, ...options }),
    sent: 'DELETE /microservices/s?force=true',
    answer: '',
    value: undefined,
  },
  {
    name: 'setMicroserviceProperties',
    ask: (client, options) => client.setMicroserviceProperties('s', { a: '1' }, options),
    sent: 'PUT /microservices/s/properties',
    body: { properties: { a: '1' } },
    answer: '',
    value: undefined,
  },
  {
    name: 'getTags',
    ask: (client, options) => client.getTags('s', options),
    sent: 'GET /microservices/s/tags',
    answer: { tags: { team: 'a' } },
    value: { team: 'a' },
  },
  {
    name: 'setTags',
    ask: (client, options) => client.setTags('s', { team: 'a' }, options),
    sent: 'POST /microservices/s/tags',
    body: { tags: { team: 'a' } },
    answer: '',
    value: undefined,
  },
  {
    name: 'listSchemas',
    ask: (client, options) => client.listSchemas('s', options),
    sent: 'GET /microservices/s/schemas?withSchema=0',
    answer: { schemas: [{ schemaId: 'c', summary: 'abc' }] },
    value: [{ schemaId: 'c', summary: 'abc' }],
  },
  {
    name: 'listSchemas with their texts',
    ask: (client, options) => client.listSchemas('s', { withSchema: true, ...options }),
    sent: 'GET /microservices/s/schemas?withSchema=1',
    answer: { schemas: [{ schemaId: 'c', schema: 'text' }] },
    value: [{ schemaId: 'c', schema: 'text' }],
  },
  {
    name: 'getSchema',
    ask: (client, options) => client.getSchema('s', 'a b', options),
    sent: 'GET /microservices/s/schemas/a%20b',
    answer: { schema: 'text' },
    value: 'text',
  },
  {
    name: 'setSchema',
    ask: (client, options) =>
      client.setSchema('s', { schemaId: 'c', schema: 'text', summary: 'abc' }, options),
    sent: 'PUT /microservices/s/schemas/c',
    body: { schema: 'text', summary: 'abc' },
    answer: '',
    value: undefined,
  },
  {
    name: 'removeSchema',
    ask: (client, options) => client.removeSchema('s', 'c', options),
    sent: 'DELETE /microservices/s/schemas/c',
    answer: '',
    value: undefined,
  },
  {
    name: 'registerInstance',
    ask: (client, options) => client.registerInstance('s', instance, options),
    sent: 'POST /microservices/s/instances',
    body: { instance },
    answer: { instanceId: 'i' },
    value: 'i',
  },
  {
    name: 'listInstances',
    ask: (client, options) => client.listInstances('s', options),
    sent: 'GET /microservices/s/instances',
    answer: { instances: [instance] },
    value: [instance],
  },
  {
    name: 'listInstances past the cache',
    ask: (client, options) => client.listInstances('s', { noCache: true, ...options }),
    sent: 'GET /microservices/s/instances?noCache=1',
    answer: { instances: [instance] },
    value: [instance],
  },
  {
    name: 'getInstance',
    ask: (client, options) => client.getInstance(ref, options),
    sent: 'GET /microservices/s/instances/i',
    answer: { instance },
    value: instance,
  },
  {
    name: 'getInstance past the cache',
    ask: (client, options) => client.getInstance(ref, { noCache: true, ...options }),
    sent: 'GET /microservices/s/instances/i?noCache=1',
    answer: { instance },
    value: instance,
  },
  {
    name: 'unregisterInstance',
    ask: (client, options) => client.unregisterInstance(ref, options),
    sent: 'DELETE /microservices/s/instances/i',
    answer: '',
    value: undefined,
  },
  {
    name: 'setInstanceProperties',
    ask: (client, options) => client.setInstanceProperties(ref, { zone: 'a' }, options),
    sent: 'PUT /microservices/s/instances/i/properties',
    body: { properties: { zone: 'a' } },
    answer: '',
    value: undefined,
  },
  {
    name: 'setInstanceStatus',
    ask: (client, options) => client.setInstanceStatus(ref, 'OUTOFSERVICE', options),
    sent: 'PUT /microservices/s/instances/i/status?value=OUTOFSERVICE',
    answer: '',
    value: undefined,
  },
  {
    name: 'sendHeartbeat',
    ask: (client, options) => client.sendHeartbeat(ref, options),
    sent: 'PUT /microservices/s/instances/i/heartbeat',
    answer: '',
    value: undefined,
  },
  {
    name: 'sendHeartbeats',
    ask: (client, options) => client.sendHeartbeats([ref], options),
    sent: 'PUT /heartbeats',
    body: { instances: [ref] },
    answer: { instances: [{ ...ref, errMessage: 'Instance does not exist' }] },
    value: [{ ...ref, errMessage: 'Instance does not exist' }],
  },
  {
    name: 'findInstances',
    ask: (client, options) =>
      client.findInstances({ appId: 'app', serviceName: 'or ders' }, options),
    sent: 'GET /instances?appId=app&serviceName=or%20ders&version=0.0.0%2B',
    answer: { instances: [instance] },
    value: { modified: true, revision: 'r1', instances: [instance] },
  },
  {
    name: 'findInstances with all it takes',
    ask: (client, options) =>
      client.findInstances(
        {
          appId: 'app',
          serviceName: 'orders',
          environment: 'testing',
          revision: 'r0',
          noCache: true,
          tags: ['team', 'tier'],
        },
        options,
      ),
    sent: 'GET /instances?appId=app&serviceName=orders&version=0.0.0%2B&env=testing&rev=r0&noCache=1&tags=team%2Ctier',
    answer: { instances: [instance] },
    value: { modified: true, revision: 'r1', instances: [instance] },
  },
  {
    name: 'findInstancesInBatch',
    ask: (client, options) =>
      client.findInstancesInBatch(
        [
          { appId: 'app', serviceName: 'orders', environment: 'testing', revision: 'r0' },
          { appId: 'app', serviceName: 'nobody' },
          { appId: 'app', serviceName: 'billing' },
        ],
        options,
      ),
    sent: 'POST /instances/action?type=query',
    body: {
      services: [
        {
          service: {
            environment: 'testing',
            appId: 'app',
            serviceName: 'orders',
            version: '0.0.0+',
          },
          rev: 'r0',
        },
        { service: { appId: 'app', serviceName: 'nobody', version: '0.0.0+' } },
        { service: { appId: 'app', serviceName: 'billing', version: '0.0.0+' } },
      ],
    },
    answer: {
      services: {
        failed: [{ indexes: [1], error: { errorCode: '400012', errorMessage: 'none' } }],
        notModified: [0],
        updated: [{ index: 2, rev: 'r1', instances: [instance] }],
      },
    },
    value: [
      { modified: false },
      new ServiceCenterResponseError('queryInstances', 'http://a:1', {
        status: 400,
        errorCode: 400_012,
        errorMessage: 'app/nobody',
      }),
      { modified: true, revision: 'r1', instances: [instance] },
    ],
  },
  {
    name: 'findInstancesInBatch past the cache',
    ask: (client, options) =>
      client.findInstancesInBatch([{ appId: 'app', serviceName: 'orders' }], {
        noCache: true,
        ...options,
      }),
    sent: 'POST /instances/action?type=query&noCache=1',
    body: {
      services: [{ service: { appId: 'app', serviceName: 'orders', version: '0.0.0+' } }],
    },
    answer: { services: { updated: [{ index: 0, rev: 'r1' }] } },
    value: [{ modified: true, revision: 'r1', instances: [] }],
  },
  {
    name: 'listProviders',
    ask: (client, options) => client.listProviders('s', options),
    sent: 'GET /microservices/s/providers',
    answer: { providers: [service] },
    value: [service],
  },
  {
    name: 'listConsumers',
    ask: (client, options) => client.listConsumers('s', options),
    sent: 'GET /microservices/s/consumers',
    answer: { consumers: [service] },
    value: [service],
  },
  {
    name: 'getHealth',
    ask: (client, options) => client.getHealth(options),
    sent: 'GET /health',
    answer: { instances: [instance] },
    value: [instance],
  },
  {
    name: 'getVersion',
    ask: (client, options) => client.getVersion(options),
    sent: 'GET /version',
    answer: { version: '2.2.0', apiVersion: '4.0.0' },
    value: { version: '2.2.0', apiVersion: '4.0.0' },
  },
];
