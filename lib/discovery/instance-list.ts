import { isDeepStrictEqual } from 'node:util';
import type {
  DataCenterInfo,
  HealthCheck,
  InstanceStatus,
  StoredInstance,
  Texts,
} from '../protocol/wire.js';
import { fitting, type VersionRule } from './version-rule.js';

/** A list of instances. One that is kept is frozen, and ordered by instanceId. */
export type Instances = readonly StoredInstance[];

/** The difference between two lists. */
export interface ListChange {
  readonly added: Instances;
  readonly removed: Instances;
  /** Same id, another record. */
  readonly updated: Instances;
}

/**
 * Returns those that may be called: the ones that are UP or, where none is, those that drain and still serve
 * (Kubernetes falls back to such endpoints, too: KEP-1669). Never one that is DOWN, STARTING or TESTING. Each
 * version rule narrows the ones before it.
 */
export function callable(
  instances: Instances,
  versionRules: readonly VersionRule[] = [],
): Instances {
  const ofStatus = (wanted: InstanceStatus) => {
    const some = instances.filter(({ status }) => status === wanted);
    return versionRules.reduce<Instances>((left, rule) => fitting(rule, left), some);
  };
  const up = ofStatus('UP');
  return up.length > 0 ? up : ofStatus('OUTOFSERVICE');
}

/**
 * Returns the difference of two lists in the order of their ids, which share the records that are the same; undefined
 * for none. It walks along both: a list may be long, and little of it changes.
 */
export function differenceOf(before: Instances, after: Instances): ListChange | undefined {
  if (before === after) return undefined;
  const added: StoredInstance[] = [];
  const removed: StoredInstance[] = [];
  const updated: StoredInstance[] = [];
  let at = 0;
  for (const instance of after) {
    let old = before[at];
    for (; old !== undefined && old.instanceId < instance.instanceId; old = before[++at])
      removed.push(old);
    if (old?.instanceId !== instance.instanceId) added.push(instance);
    else {
      if (old !== instance) updated.push(instance);
      at += 1;
    }
  }
  for (const old of before.slice(at)) removed.push(old);
  const isSame = added.length + removed.length + updated.length === 0;
  return isSame ? undefined : { added, removed, updated };
}

/**
 * Returns an answer as it is kept: in the order of the ids, since the registry's own order is another one each
 * time. Records that are as before stay the same objects, and equal parts of the others are shared.
 */
export function asKept(answer: Instances, before: Instances): Instances {
  const old = byId(before);
  const unique = [...byId(answer).values()];
  const same = byId(
    unique.flatMap(instance => {
      const previous = old.get(instance.instanceId);
      return previous !== undefined && isDeepStrictEqual(previous, instance) ? [previous] : [];
    }),
  );
  if (same.size === unique.length && same.size === before.length) return before;
  const share = sharing();
  for (const each of same.values()) share(each);
  return inOrder(unique.map(each => same.get(each.instanceId) ?? share(each)));
}

/** Returns a frozen list in the order of the ids. */
export function inOrder(instances: Instances): Instances {
  return Object.freeze(
    instances.toSorted((left, right) => (left.instanceId < right.instanceId ? -1 : 1)),
  );
}

function byId(instances: Instances): ReadonlyMap<string, StoredInstance> {
  return new Map(instances.map(instance => [instance.instanceId, instance]));
}

/** Makes a function that returns an instance with the equal parts of those that it was called with before. */
function sharing(): (instance: StoredInstance) => StoredInstance {
  const [text, texts] = [sharingOf<string>(), sharingOf<Texts>()];
  const [dataCenter, check] = [sharingOf<DataCenterInfo>(), sharingOf<HealthCheck>()];
  return instance => {
    const { serviceId, version, properties, dataCenterInfo, healthCheck } = instance;
    const { timestamp, modTimestamp } = instance;
    return {
      ...instance,
      // The same until somebody changes the record.
      ...(modTimestamp !== undefined && modTimestamp === timestamp && { modTimestamp: timestamp }),
      ...(serviceId !== undefined && { serviceId: text(serviceId) }),
      ...(version !== undefined && { version: text(version) }),
      ...(properties !== undefined && { properties: texts(properties) }),
      ...(dataCenterInfo !== undefined && { dataCenterInfo: dataCenter(dataCenterInfo) }),
      ...(healthCheck !== undefined && { healthCheck: check(healthCheck) }),
    };
  };
}

function sharingOf<T>(): (part: T) => T {
  const seen = new Map<string, T>();
  return part => {
    const key = JSON.stringify(part);
    const same = seen.get(key) ?? part;
    seen.set(key, same);
    return same;
  };
}
