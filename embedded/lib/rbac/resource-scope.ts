import type { Call } from '../api/call.js';
import { readBatchFind, readHeartbeats } from '../api/instance-bodies.js';
import { readCreateService, readDeleteServices } from '../api/service-bodies.js';
import { attempt } from '../model/attempt.js';
import { RegistryError } from '../model/registry-error.js';
import { HandlerPanic } from './handler-panic.js';
import { unauthorized } from './json-web-token.js';
import type { Labels, ResourceScope } from './permissions.js';
import { resourceOf } from './resources.js';

/** A request that found its route. */
export interface RoutedCall {
  readonly call: Call;
  readonly method: string;
  /** The path of the route, with `:name` for what may be anything. */
  readonly pattern: string;
}

const registry = '/v4/:project/registry';

/** How the labels of what a request is about are found, by the beginning of the route's path. */
const parsers: readonly (readonly [path: string, labelsOf: (routed: RoutedCall) => Labels[]])[] = [
  [`${registry}/microservices/:serviceId`, byPath],
  ['/v4/:project/govern/microservices/:serviceId', byPath],
  [`${registry}/instances/action`, ofBatchFind],
  [`${registry}/instances`, byName],
  [`${registry}/existence`, byName],
  [`${registry}/heartbeats`, ofHeartbeats],
  [`${registry}/microservices`, ofServices],
];

const verbs: ReadonlyMap<string, string> = new Map([
  ['GET', 'get'],
  ['POST', 'create'],
  ['PUT', 'update'],
  ['DELETE', 'delete'],
]);

/**
 * Tells what a request is about to do (server/plugin/auth/buildin/service_parser.go).
 *
 * @throws RegistryError 401201 when a service that it names is unknown, or its body is not the right
 * JSON: a client must not take that for a bad token
 */
export function scopeOf(routed: RoutedCall): ResourceScope {
  const { method, pattern } = routed;
  const labelsOf = parsers.find(([path]) => pattern.startsWith(path))?.[1];
  const labels = attempt(() => labelsOf?.(routed) ?? []);
  if (labels instanceof RegistryError) throw unauthorized('no valid resouce scope');
  const isFind = pattern === `${registry}/instances/action`;
  return { type: resourceOf(pattern), verb: isFind ? 'get' : (verbs.get(method) ?? ''), labels };
}

function byPath({ call }: RoutedCall): Labels[] {
  return [labelsOfService(call, call.parameter('serviceId'))];
}

/** An environment that is not said is the one of the consumer that asks. */
function byName({ call }: RoutedCall): Labels[] {
  if (call.query.has('serviceId')) return [labelsOfService(call, call.value('serviceId'))];
  const { consumerId } = call;
  const environment =
    call.value('env') || (consumerId && labelsOfService(call, consumerId)['environment']) || '';
  const [appId, serviceName] = [call.value('appId'), call.value('serviceName')];
  return [{ environment, appId, serviceName }];
}

function ofBatchFind({ call }: RoutedCall): Labels[] {
  const { instances = [] } = call.json(readBatchFind);
  return instances.map(item => {
    if (item?.instance === undefined) throw new HandlerPanic();
    return labelsOfService(call, item.instance.serviceId ?? '');
  });
}

function ofHeartbeats({ call }: RoutedCall): Labels[] {
  const { instances = [] } = call.json(readHeartbeats);
  return instances.map(item => {
    if (item === null) throw new HandlerPanic();
    return labelsOfService(call, item.serviceId ?? '');
  });
}

/** One that is registered counts by what it says, without the defaults that come later. */
function ofServices({ call, method }: RoutedCall): Labels[] {
  if (method === 'GET') return [];
  if (method === 'DELETE') {
    const { serviceIds = [] } = call.json(readDeleteServices);
    return serviceIds.map(serviceId => labelsOfService(call, serviceId));
  }
  const { service } = call.json(readCreateService);
  if (service === undefined) throw unauthorized('invalid CreateServiceRequest');
  const { environment = '', appId = '', serviceName = '' } = service;
  return [{ environment, appId, serviceName }];
}

function labelsOfService({ namespace }: Call, serviceId: string): Labels {
  const { service } = namespace.requireService(serviceId);
  const { environment = '', appId, serviceName } = service;
  return { environment, appId, serviceName };
}
