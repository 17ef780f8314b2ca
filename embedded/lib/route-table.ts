import { operationNames, routeOf, templateOf } from './api/operations.js';
import type { OperationName } from './api/operations.js';
import * as admin from './handlers/admin-handlers.js';
import * as about from './handlers/about-handlers.js';
import { queryInstances } from './handlers/batch-find-handler.js';
import * as dependencies from './handlers/dependency-handlers.js';
import * as find from './handlers/find-handlers.js';
import * as govern from './handlers/govern-handlers.js';
import * as beats from './handlers/heartbeat-handlers.js';
import * as instances from './handlers/instance-handlers.js';
import { getMetrics } from './handlers/metrics-handler.js';
import * as schemas from './handlers/schema-handlers.js';
import * as services from './handlers/service-handlers.js';
import * as tags from './handlers/tag-handlers.js';
import { isLegacy, legacyPathOf, unnamedLegacyPaths } from './legacy-routes.js';
import type { Answer } from './api/answer.js';
import type { Call } from './api/call.js';
import { Router } from './api/router.js';
import type { RouteEntry } from './api/router.js';
import type { Caller } from './rbac/rbac.js';

/** What a client may upgrade a connection to. */
export type WebSocketRoute = 'watcher' | 'heartbeat';

/** What a route leads to. */
export interface Operation {
  /** Absent where the operation has no name. */
  readonly name?: OperationName;
  /** Takes who asks, too, where a token was asked for. */
  readonly handle: (call: Call, caller?: Caller) => Answer;
  readonly maxBodyBytes: number;
  /** Absent where a wish to upgrade is passed over. */
  readonly webSocket?: WebSocketRoute;
}

/** Limits of a body (server/handler/maxbody/maxbody.go, etc/conf/app.yaml). */
const instanceBytes = 5 * 1024;
const propertiesBytes = 3 * 1024;

/** The longest body any route takes, in bytes. */
export const maxBodyBytes = 2 * 1024 * 1024;

const handlers: Record<OperationName, Operation['handle']> = {
  getVersion: about.getVersion,
  getHealth: about.getHealth,
  getExistence: services.getExistence,
  registerMicroservice: services.registerMicroservice,
  listMicroservices: services.listMicroservices,
  getMicroservice: services.getMicroservice,
  unregisterMicroservice: services.unregisterMicroservice,
  setMicroserviceProperties: services.setMicroserviceProperties,
  getTags: tags.getTags,
  setTags: tags.setTags,
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
  heartbeat: beats.heartbeat,
  heartbeats: beats.heartbeats,
  findInstances: find.findInstances,
  queryInstances,
  listProviders: dependencies.listProviders,
  listConsumers: dependencies.listConsumers,
};

const dependenciesPath = '/v4/:project/registry/dependencies';

/** Routes whose operations have no name. */
const others: readonly (readonly [method: string, path: string, handle: Operation['handle']])[] = [
  ['GET', '/version', about.getVersion3],
  ['GET', '/health', about.getHealth],
  ['DELETE', templateOf('listMicroservices'), services.unregisterMicroservices],
  ['PUT', `${templateOf('getTags')}/:key`, tags.setOneTag],
  ['DELETE', `${templateOf('getTags')}/:key`, tags.removeSomeTags],
  ['PUT', `${templateOf('findInstances')}/status`, instances.setManyInstanceStatuses],
  ['POST', dependenciesPath, dependencies.addDependencies],
  ['PUT', dependenciesPath, dependencies.replaceDependencies],
  ['GET', '/v4/:project/govern/microservices', govern.listServiceDetails],
  ['GET', '/v4/:project/govern/microservices/:serviceId', govern.getServiceDetail],
  ['GET', '/v4/:project/govern/relations', govern.drawRelations],
  ['GET', '/v4/:project/govern/apps', govern.listApps],
  ['GET', '/v4/:project/govern/statistics', govern.getStatistics],
  ['GET', '/v4/:project/admin/dump', admin.dump],
  ['GET', '/v4/:project/admin/clusters', admin.listClusters],
  ['GET', '/v4/:project/admin/alarms', admin.listAlarms],
  ['DELETE', '/v4/:project/admin/alarms', admin.clearAlarms],
  ['GET', '/metrics', getMetrics],
  ['GET', '/v1/syncer/health', about.getSyncerHealth],
];

const webSockets: readonly (readonly [path: string, webSocket: WebSocketRoute])[] = [
  [`${templateOf('getMicroservice')}/watcher`, 'watcher'],
  [templateOf('heartbeat'), 'heartbeat'],
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

/** Every route that there is in any case; those of version 3 lead where those of 4 do. */
export const commonRoutes: readonly RouteEntry<Operation>[] = [
  ...named,
  ...unnamed,
  ...[...named, ...unnamed].flatMap(route => legacyRouteOf(route) ?? []),
  ...webSockets.map(([path, webSocket]) => {
    const target = { handle: about.upgradeRequired, maxBodyBytes, webSocket };
    return { method: 'GET', path, target };
  }),
];

/** Finds the common routes. */
export const router = new Router<Operation>(commonRoutes);

function asRoute(name: OperationName): RouteEntry<Operation> {
  const target = { name, handle: handlers[name], maxBodyBytes: limits[name] ?? maxBodyBytes };
  return { ...routeOf(name), target };
}

function legacyRouteOf({ method, path, target }: RouteEntry<Operation>) {
  const isOne = target.name === undefined ? unnamedLegacyPaths.has(path) : isLegacy(target.name);
  return isOne ? { method, path: legacyPathOf(path), target } : undefined;
}
