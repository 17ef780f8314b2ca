import { flag, number, oneOf, wholeMilliseconds, wholeNumber, wholeSeconds } from './check.js';
import { defaults, profiles } from './defaults.js';
import { members, type Field } from './field.js';
import type { RegistryProfile } from './options.js';
import type { ResolvedOptions } from './resolved-options.js';

const tenMinutesMs = 600_000;

/** The groups `heartbeat` and `registration`: the pauses of one follow from the interval of the other. */
export function resolveTiming(
  heartbeatGroup: Field,
  registrationGroup: Field,
  profile: RegistryProfile,
): Pick<ResolvedOptions, 'heartbeat' | 'registration'> {
  const heartbeat = resolveHeartbeat(heartbeatGroup, profile);
  const registration = resolveRegistration(registrationGroup, heartbeat.intervalMs);
  return { heartbeat, registration };
}

function resolveHeartbeat(group: Field, profile: RegistryProfile): ResolvedOptions['heartbeat'] {
  const { times, jitter, verifyEvery } = defaults.heartbeat;
  const { intervalMs, neverEarly } = profiles[profile];
  const option = members(group, defaults.heartbeat);
  return {
    intervalMs: wholeSeconds(option('intervalMs'), { min: 1_000, max: tenMinutesMs }) ?? intervalMs,
    times: wholeNumber(option('times'), { min: 1, max: 1_000 }) ?? times,
    jitter: number(option('jitter'), { min: 0, max: 0.5 }) ?? jitter,
    neverEarly,
    verifyEvery: wholeNumber(option('verifyEvery'), { min: 0, max: 10_000 }) ?? verifyEvery,
  };
}

function resolveRegistration(group: Field, intervalMs: number): ResolvedOptions['registration'] {
  const { when, failFast } = defaults.registration;
  const option = members(group, defaults.registration);
  return {
    when: oneOf(option('when'), ['listen', 'bootstrap', 'manual']) ?? when,
    failFast: flag(option('failFast')) ?? failFast,
    retry: resolveRetry(option('retry'), intervalMs),
  };
}

/** No pause is longer than two intervals by default: so a return is noticed as soon as that. */
function resolveRetry(group: Field, intervalMs: number): ResolvedOptions['registration']['retry'] {
  const { retry } = defaults.registration;
  const option = members(group, retry);
  const bounds = { min: 10, max: tenMinutesMs };
  const initialMs = wholeMilliseconds(option('initialMs'), bounds) ?? retry.initialMs;
  const usual = Math.max(initialMs, Math.min(retry.maxMs, 2 * intervalMs));
  const beyond = { min: initialMs, max: tenMinutesMs };
  return {
    initialMs,
    maxMs: wholeMilliseconds(option('maxMs'), beyond) ?? usual,
    factor: number(option('factor'), { min: 1, max: 10 }) ?? retry.factor,
  };
}

/** The group `shutdown`. */
export function resolveShutdown(group: Field): ResolvedOptions['shutdown'] {
  const { timeoutMs, drainMs, statusFirst } = defaults.shutdown;
  const option = members(group, defaults.shutdown);
  const timeouts = { min: 100, max: 60_000 };
  const drains = { min: 0, max: tenMinutesMs };
  return {
    timeoutMs: wholeMilliseconds(option('timeoutMs'), timeouts) ?? timeoutMs,
    drainMs: wholeMilliseconds(option('drainMs'), drains) ?? drainMs,
    statusFirst: flag(option('statusFirst')) ?? statusFirst,
  };
}
