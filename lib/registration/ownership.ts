import type { MicroserviceInstance } from '../protocol/wire.js';

/** A registration of this process: the instance as it was posted, and as the registry stored it. */
export interface OwnRegistration {
  readonly asked: MicroserviceInstance;
  readonly stored: MicroserviceInstance;
}

/** Returns whether two records lead consumers to different places. */
export function isElsewhere(left: MicroserviceInstance, right: MicroserviceInstance): boolean {
  const [these, those] = [left.endpoints ?? [], right.endpoints ?? []];
  const hasSameEndpoints = these.length === those.length && these.every(one => those.includes(one));
  return !hasSameEndpoints || left.hostName !== right.hostName;
}

/**
 * Returns whether a stored record leads elsewhere than the desired one. A registry may write endpoints in
 * its own way: the record that it once stored for the same instance is as good.
 */
export function isMisplaced(
  stored: MicroserviceInstance,
  desired: MicroserviceInstance,
  own: OwnRegistration | undefined,
): boolean {
  const isAsBefore =
    own !== undefined && !isElsewhere(desired, own.asked) && !isElsewhere(stored, own.stored);
  return !isAsBefore && isElsewhere(stored, desired);
}

/**
 * Returns whether another process has registered under our id since our own registration: the newer
 * registration holds the id. Only timestamps of the server are compared, which have whole seconds, so a
 * record of the same second is told by where it leads.
 *
 * @param posted the instance of a POST whose record has not been read yet: it may be the newer record
 */
export function isTakenOver(
  stored: MicroserviceInstance,
  own: OwnRegistration | undefined,
  posted?: MicroserviceInstance,
): boolean {
  const ours = Number(own?.stored.timestamp);
  const its = Number(stored.timestamp);
  // NaN, for a record whose time is not known, is not newer.
  if (own === undefined || !(its >= ours)) return false;
  if (its === ours && !isElsewhere(stored, own.stored)) return false;
  return posted === undefined || isMisplaced(stored, posted, own);
}
