import { json, listed } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import type { ServiceRecord } from '../model/records.js';

/** GET providers: every version of what a service has found so far */
export function listProviders(call: Call): Answer {
  const { service } = requireService(call, 'Consumer does not exist');
  const { dependencies, services } = call.namespace;
  const providers = dependencies
    .providersOf(service.serviceId)
    .flatMap(name => services.versionsOf(name));
  return json({ providers: servicesOf(call, providers) });
}

/** GET consumers: who has found a service so far */
export function listConsumers(call: Call): Answer {
  const { service } = requireService(call, 'Provider does not exist');
  const { dependencies, services } = call.namespace;
  const consumers = dependencies
    .consumersOf(service)
    .flatMap(serviceId => services.get(serviceId) ?? []);
  return json({ consumers: servicesOf(call, consumers) });
}

function requireService(call: Call, otherwise: string): ServiceRecord {
  const serviceId = call.parameter('serviceId');
  validate(requestRules.dependencies, { serviceId });
  return call.namespace.requireService(serviceId, otherwise);
}

function servicesOf(call: Call, records: readonly ServiceRecord[]) {
  const withoutId = call.value('noSelf') === '1' ? call.parameter('serviceId') : undefined;
  return listed(
    records.map(({ service }) => service).filter(({ serviceId }) => serviceId !== withoutId),
  );
}
