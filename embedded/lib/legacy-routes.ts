import { templateOf } from './api/operations.js';
import type { OperationName } from './api/operations.js';

const registry = '/v4/:project/registry/';
const legacyRegistry = '/registry/v3/';

/** What version 3 of the API never had (server/rest/controller/v3). */
const since4: ReadonlySet<OperationName> = new Set(['getVersion', 'getHealth', 'queryInstances']);

/** True for an operation that version 3 of the API has too. */
export function isLegacy(name: OperationName): boolean {
  return !since4.has(name);
}

/** The path that a path of version 4 has in version 3, where the project is always `default`. */
export function legacyPathOf(path: string): string {
  return path.replace(registry, legacyRegistry);
}

/** The paths of version 3 whose operations have no name here. */
export const unnamedLegacyPaths: ReadonlySet<string> = new Set([
  templateOf('listMicroservices'),
  `${templateOf('getTags')}/:key`,
]);
