import { done, json, omitEmpty } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { readAddDependencies, readPutDependencies } from '../api/request-bodies.js';
import type { DependencyBody } from '../api/request-bodies.js';
import { dependencyRules, requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import { consumersOf, providersOf, putDependencies } from '../model/dependency-operations.js';
import type { Dependency } from '../model/dependency-operations.js';
import type { StoredMicroservice } from '../model/records.js';

/**
 * GET providers: all versions of the services that a consumer has found or declared as
 * dependencies.
 */
export function listProviders(call: Call): Answer {
  const { serviceId } = requireService(call, 'Consumer does not exist');
  return json({ providers: withoutSelf(call, providersOf(call.namespace, serviceId)) });
}

/** GET consumers: the services that have found a provider or declared a dependency on it. */
export function listConsumers(call: Call): Answer {
  const provider = requireService(call, 'Provider does not exist');
  return json({ consumers: withoutSelf(call, consumersOf(call.namespace, provider)) });
}

/** The server marks both writes below as deprecated. */
const written: Answer = { ...done, headers: { ...done.headers, Deprecation: 'version="v4"' } };

/** POST dependencies: adds to the known ones. */
export function addDependencies(call: Call): Answer {
  const body = call.json(readAddDependencies);
  validate(dependencyRules.add, body);
  const { dependencies = [] } = body;
  putDependencies(call.namespace, dependencies.flatMap(asDependency), { override: false });
  return written;
}

/** PUT dependencies: replaces the known ones. */
export function replaceDependencies(call: Call): Answer {
  const body = call.json(readPutDependencies);
  validate(dependencyRules.put, body);
  const { dependencies = [] } = body;
  putDependencies(call.namespace, dependencies.flatMap(asDependency), { override: true });
  return written;
}

/** Converts a checked dependency; returns none for what the checks reject anyway. */
function asDependency(body: DependencyBody | null): Dependency | [] {
  if (!body?.consumer) return [];
  const { consumer, providers = [] } = body;
  const { appId = '', serviceName = '', version = '' } = consumer;
  return {
    consumer: { ...consumer, appId, serviceName, version },
    providers: providers.map(item => ({
      environment: item?.environment,
      appId: item?.appId,
      serviceName: item?.serviceName ?? '',
    })),
  };
}

function requireService(call: Call, otherwise: string): StoredMicroservice {
  const serviceId = call.parameter('serviceId');
  validate(requestRules.dependencies, { serviceId });
  return call.namespace.requireService(serviceId, otherwise).service;
}

function withoutSelf(call: Call, services: readonly StoredMicroservice[]) {
  const withoutId = call.value('noSelf') === '1' ? call.parameter('serviceId') : undefined;
  return omitEmpty(services.filter(({ serviceId }) => serviceId !== withoutId));
}
