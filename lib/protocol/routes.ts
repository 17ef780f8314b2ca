/** An operation's method and the template of its path; `:name` stands for one path segment. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
}

const registry = '/v4/:project/registry';
const service = `${registry}/microservices/:serviceId`;
const instance = `${service}/instances/:instanceId`;

/** Every path of Service Center's API v4 that this library uses: no other file holds one. */
export const routes = {
  /** Only on servers with their security on. */
  login: { method: 'POST', path: '/v4/token' },
  getVersion: { method: 'GET', path: `${registry}/version` },
  /** Only on clouds: Apache's Service Center answers 404. */
  getReadiness: { method: 'GET', path: `${registry}/health/readiness` },
  getHealth: { method: 'GET', path: `${registry}/health` },
  getExistence: { method: 'GET', path: `${registry}/existence` },
  registerMicroservice: { method: 'POST', path: `${registry}/microservices` },
  listMicroservices: { method: 'GET', path: `${registry}/microservices` },
  getMicroservice: { method: 'GET', path: service },
  unregisterMicroservice: { method: 'DELETE', path: service },
  setMicroserviceProperties: { method: 'PUT', path: `${service}/properties` },
  getTags: { method: 'GET', path: `${service}/tags` },
  setTags: { method: 'POST', path: `${service}/tags` },
  listSchemas: { method: 'GET', path: `${service}/schemas` },
  replaceSchemas: { method: 'POST', path: `${service}/schemas` },
  getSchema: { method: 'GET', path: `${service}/schemas/:schemaId` },
  setSchema: { method: 'PUT', path: `${service}/schemas/:schemaId` },
  removeSchema: { method: 'DELETE', path: `${service}/schemas/:schemaId` },
  registerInstance: { method: 'POST', path: `${service}/instances` },
  listInstances: { method: 'GET', path: `${service}/instances` },
  getInstance: { method: 'GET', path: instance },
  unregisterInstance: { method: 'DELETE', path: instance },
  setInstanceProperties: { method: 'PUT', path: `${instance}/properties` },
  setInstanceStatus: { method: 'PUT', path: `${instance}/status` },
  heartbeat: { method: 'PUT', path: `${instance}/heartbeat` },
  heartbeats: { method: 'PUT', path: `${registry}/heartbeats` },
  findInstances: { method: 'GET', path: `${registry}/instances` },
  queryInstances: { method: 'POST', path: `${registry}/instances/action` },
  listProviders: { method: 'GET', path: `${service}/providers` },
  listConsumers: { method: 'GET', path: `${service}/consumers` },
} as const satisfies Record<string, Route>;

/** The name of an operation: `heartbeat`, `registerInstance`, … */
export type OperationName = keyof typeof routes;

/** Half a character: no URL can hold it. */
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Fills a template's `:name` parts, each encoded as one segment.
 *
 * @throws RangeError when a value is missing, empty, `.`, `..` or cannot be encoded: URL clients collapse
 * dot segments, encoded or not, and the request would reach another resource.
 */
export function pathOf(route: Route, parameters: Readonly<Record<string, string>>): string {
  return route.path.replace(/:(\w+)/g, (_, name: string) => {
    const value = parameters[name] ?? '';
    if (value === '' || value === '.' || value === '..' || loneSurrogate.test(value))
      throw new RangeError(`${name} must not be empty, "." or "..", got ${JSON.stringify(value)}`);
    return encodeURIComponent(value);
  });
}
