import { templateOf, operationNames, routeOf } from './api/operations.js';
import type { OperationName } from './api/operations.js';
import * as server from './handlers/server-handlers.js';
import * as find from './handlers/find-handlers.js';
import * as dependencies from './handlers/dependency-handlers.js';
import * as govern from './handlers/govern-handlers.js';
import * as instances from './handlers/instance-handlers.js';
import * as schemas from './handlers/schema-handlers.js';
import * as services from './handlers/service-handlers.js';
import type { Answer } from './api/answer.js';
import type { Call } from './api/call.js';
import { Router } from './api/router.js';
import type { RouteEntry } from './api/router.js';
import type { Caller } from './rbac/rbac.js';

const registry = '/v4/:project/registry/';
const legacyRegistry = '/registry/v3/';

/** Operations that version 3 of the API does not have (server/rest/controller/v3). */
const since4: ReadonlySet<OperationName> = new Set([
  'getVersion',
  'getHealth',
  'queryInstances',
  'watch',
]);

/** Returns whether version 3 of the API has an operation too. */
function isLegacy(name: OperationName): boolean {
  return !since4.has(name);
}

/** Returns the version 3 path for a path of version 4; its project is always `default`. */
function legacyPathOf(path: string): string {
  return path.replace(registry, legacyRegistry);
}

/** Paths of version 3 whose operations have no name here. */
const unnamedLegacyPaths: ReadonlySet<string> = new Set([
  templateOf('listMicroservices'),
  `${templateOf('getTags')}/:key`,
]);

/** Protocols that a client can upgrade a connection to. */
export type WebSocketRoute = 'watcher' | 'heartbeat';

/** The target of a route. */
export interface Operation {
  /** Absent if the operation has no name. */
  readonly name?: OperationName;
  /** Gets the caller too if a token was required. */
  readonly handle: (call: Call, caller?: Caller) => Answer;
  readonly maxBodyBytes: number;
  /** Absent if a request to upgrade is ignored. */
  readonly webSocket?: WebSocketRoute;
}

/** Limits of bodies (server/handler/maxbody/maxbody.go, etc/conf/app.yaml). */
const instanceBytes = 5 * 1024;
const propertiesBytes = 3 * 1024;

/** The longest body that any route accepts, in bytes. */
export const maxBodyBytes = 2 * 1024 * 1024;

const handlers: Record<OperationName, Operation['handle']> = {
  getVersion: server.getVersion,
  getHealth: server.getHealth,
  getExistence: services.getExistence,
  registerMicroservice: services.registerMicroservice,
  listMicroservices: services.listMicroservices,
  getMicroservice: services.getMicroservice,
  unregisterMicroservice: services.unregisterMicroservice,
  setMicroserviceProperties: services.setMicroserviceProperties,
  getTags: services.getTags,
  setTags: services.setTags,
  listSchemas: schemas.listSchemas,
  replaceSchemas: schemas.replaceSchemas,
  getSchema: schemas.getSchema,
  setSchema: schemas.setSchema,
  removeSchema: schemas.removeSchema,
  registerInstance: instances.registerInstance,
  listInstances: find.listInstances,
  getInstance: find.getInstance,
  unregisterInstance: instances.unregisterInstance,
  setInstanceProperties: instances.setInstanceProperties,
  setInstanceStatus: instances.setInstanceStatus,
  heartbeat: instances.heartbeat,
  heartbeats: instances.heartbeats,
  findInstances: find.findInstances,
  queryInstances: find.queryInstances,
  listProviders: dependencies.listProviders,
  listConsumers: dependencies.listConsumers,
  watch: server.upgradeRequired,
};

const dependenciesPath = '/v4/:project/registry/dependencies';

/** Routes whose operations have no name. */
const others: readonly (readonly [method: string, path: string, handle: Operation['handle']])[] = [
  ['GET', '/version', server.getVersion3],
  ['GET', '/health', server.getHealth],
  ['DELETE', templateOf('listMicroservices'), services.unregisterMicroservices],
  ['PUT', `${templateOf('getTags')}/:key`, services.setOneTag],
  ['DELETE', `${templateOf('getTags')}/:key`, services.removeSomeTags],
  ['PUT', `${templateOf('findInstances')}/status`, instances.setManyInstanceStatuses],
  ['POST', dependenciesPath, dependencies.addDependencies],
  ['PUT', dependenciesPath, dependencies.replaceDependencies],
  ['GET', '/v4/:project/govern/microservices', govern.listServiceDetails],
  ['GET', '/v4/:project/govern/microservices/:serviceId', govern.getServiceDetail],
  ['GET', '/v4/:project/govern/relations', govern.drawRelations],
  ['GET', '/v4/:project/govern/apps', govern.listApps],
  ['GET', '/v4/:project/govern/statistics', govern.getStatistics],
  ['GET', '/v4/:project/admin/dump', server.dump],
  ['GET', '/v4/:project/admin/clusters', server.listClusters],
  ['GET', '/v4/:project/admin/alarms', server.listAlarms],
  ['DELETE', '/v4/:project/admin/alarms', server.clearAlarms],
  ['GET', '/metrics', server.getMetrics],
  ['GET', '/v1/syncer/health', server.getSyncerHealth],
];

const limits: Partial<Record<OperationName, number>> = {
  registerInstance: instanceBytes,
  setMicroserviceProperties: propertiesBytes,
  setInstanceProperties: propertiesBytes,
};

const named = operationNames.map(asRoute);
const unnamed = others.map(([method, path, handle]) => {
  return { method, path, target: { handle, maxBodyBytes } };
});

/** The routes that exist with and without RBAC. Version 3 shares the handlers of version 4. */
export const commonRoutes: readonly RouteEntry<Operation>[] = [
  ...named,
  ...unnamed,
  ...[...named, ...unnamed].flatMap(route => legacyRouteOf(route) ?? []),
  {
    method: 'GET',
    path: templateOf('heartbeat'),
    target: { handle: server.upgradeRequired, maxBodyBytes, webSocket: 'heartbeat' },
  },
];

/** Routes requests without RBAC. */
export const router = new Router<Operation>(commonRoutes);

function asRoute(name: OperationName): RouteEntry<Operation> {
  const target = { name, handle: handlers[name], maxBodyBytes: limits[name] ?? maxBodyBytes };
  const webSocket = name === 'watch' ? 'watcher' : undefined;
  return { ...routeOf(name), target: webSocket === undefined ? target : { ...target, webSocket } };
}

function legacyRouteOf({ method, path, target }: RouteEntry<Operation>) {
  const isOne = target.name === undefined ? unnamedLegacyPaths.has(path) : isLegacy(target.name);
  return isOne ? { method, path: legacyPathOf(path), target } : undefined;
}
