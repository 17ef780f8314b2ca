/**
 * The operations of API v4 that have a name, with method and path (server/rest/controller/v4).
 * `:name` stands for one segment of a path.
 */
const operations = {
  getVersion: 'GET /v4/:project/registry/version',
  getHealth: 'GET /v4/:project/registry/health',
  getExistence: 'GET /v4/:project/registry/existence',
  registerMicroservice: 'POST /v4/:project/registry/microservices',
  listMicroservices: 'GET /v4/:project/registry/microservices',
  getMicroservice: 'GET /v4/:project/registry/microservices/:serviceId',
  unregisterMicroservice: 'DELETE /v4/:project/registry/microservices/:serviceId',
  setMicroserviceProperties: 'PUT /v4/:project/registry/microservices/:serviceId/properties',
  getTags: 'GET /v4/:project/registry/microservices/:serviceId/tags',
  setTags: 'POST /v4/:project/registry/microservices/:serviceId/tags',
  listSchemas: 'GET /v4/:project/registry/microservices/:serviceId/schemas',
  replaceSchemas: 'POST /v4/:project/registry/microservices/:serviceId/schemas',
  getSchema: 'GET /v4/:project/registry/microservices/:serviceId/schemas/:schemaId',
  setSchema: 'PUT /v4/:project/registry/microservices/:serviceId/schemas/:schemaId',
  removeSchema: 'DELETE /v4/:project/registry/microservices/:serviceId/schemas/:schemaId',
  registerInstance: 'POST /v4/:project/registry/microservices/:serviceId/instances',
  listInstances: 'GET /v4/:project/registry/microservices/:serviceId/instances',
  getInstance: 'GET /v4/:project/registry/microservices/:serviceId/instances/:instanceId',
  unregisterInstance: 'DELETE /v4/:project/registry/microservices/:serviceId/instances/:instanceId',
  setInstanceProperties:
    'PUT /v4/:project/registry/microservices/:serviceId/instances/:instanceId/properties',
  setInstanceStatus:
    'PUT /v4/:project/registry/microservices/:serviceId/instances/:instanceId/status',
  heartbeat: 'PUT /v4/:project/registry/microservices/:serviceId/instances/:instanceId/heartbeat',
  heartbeats: 'PUT /v4/:project/registry/heartbeats',
  findInstances: 'GET /v4/:project/registry/instances',
  queryInstances: 'POST /v4/:project/registry/instances/action',
  listProviders: 'GET /v4/:project/registry/microservices/:serviceId/providers',
  listConsumers: 'GET /v4/:project/registry/microservices/:serviceId/consumers',
  watch: 'GET /v4/:project/registry/microservices/:serviceId/watcher',
} as const;

/** Name of an operation, as used by faults and the journal: `heartbeat`, `registerInstance`, … */
export type OperationName = keyof typeof operations;

/** All operation names, in the order of the table. */
export const operationNames: readonly OperationName[] = Object.keys(operations).filter(isOperation);

/** Returns the method and the path of an operation. */
export function routeOf(name: OperationName): { readonly method: string; readonly path: string } {
  const [method = '', path = ''] = operations[name].split(' ');
  return { method, path };
}

/** Returns the path of an operation, with its `:name` segments. */
export function templateOf(name: OperationName): string {
  return routeOf(name).path;
}

function isOperation(name: string): name is OperationName {
  return Object.hasOwn(operations, name);
}
