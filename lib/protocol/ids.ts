import type { InstanceRef } from './wire.js';

/** Characters are counted as the registry does. Half of one, a lone surrogate, no URL can hold. */
const serviceIdRule = /^(?!\.{1,2}$)\P{Surrogate}{1,64}$/u;

/** Whether the registry can have given this as a serviceId: 1 to 64 characters, any but dot segments. */
export function isServiceId(value: unknown): value is string {
  return typeof value === 'string' && serviceIdRule.test(value);
}

/** Whether this can be an instanceId: 1 to 64 letters, digits, `_`, `.`, `-`, and no dot segment. */
export function isInstanceId(value: unknown): value is string {
  return isServiceId(value) && /^[A-Za-z0-9_.-]+$/.test(value);
}

/**
 * Returns the path parameters of an instance.
 *
 * @throws RangeError when an id cannot be one; nothing has been sent then.
 */
export function instanceParameters({ serviceId, instanceId }: InstanceRef): {
  serviceId: string;
  instanceId: string;
} {
  if (!isInstanceId(instanceId))
    throw new RangeError(
      `instanceId must be 1 to 64 letters, digits, "_", "." or "-", got ${JSON.stringify(instanceId)}`,
    );
  return { ...serviceParameters(serviceId), instanceId };
}

/**
 * Returns the path parameter of a service.
 *
 * @throws RangeError when the id cannot be one; nothing has been sent then.
 */
export function serviceParameters(serviceId: string): { serviceId: string } {
  if (!isServiceId(serviceId))
    throw new RangeError(
      `serviceId must be 1 to 64 characters and no dot segment, got ${JSON.stringify(serviceId)}`,
    );
  return { serviceId };
}

/**
 * Returns the header that says who asks.
 *
 * @throws RangeError when the id cannot be one, or no header can hold it: axios leaves out what it cannot
 * send, and another one would have asked. Nothing has been sent then.
 */
export function consumerHeader(consumerId: string): { 'X-ConsumerId': string } {
  if (!isServiceId(consumerId) || !/^[\x21-\x7e]+$/.test(consumerId))
    throw new RangeError(
      `consumerId must be 1 to 64 visible ASCII characters, got ${JSON.stringify(consumerId)}`,
    );
  return { 'X-ConsumerId': consumerId };
}
