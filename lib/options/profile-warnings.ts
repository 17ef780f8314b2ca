import { profiles } from './defaults.js';
import type { RegistryProfile } from './options.js';
import type { ResolvedOptions } from './resolved-options.js';

const registries: Record<Exclude<RegistryProfile, 'open-source'>, string> = {
  'cse-exclusive': 'an exclusive engine',
  'cse-professional': 'a professional engine',
  'cse-legacy': 'the older API',
};

/** What options ask of the registry that its profile advises against, a sentence each. */
export function profileWarnings(options: ResolvedOptions): readonly string[] {
  return [intervalWarning(options), projectWarning(options)].filter(
    warning => warning !== undefined,
  );
}

function intervalWarning({ profile, heartbeat }: ResolvedOptions): string | undefined {
  const { leastIntervalMs } = profiles[profile];
  const { intervalMs } = heartbeat;
  if (intervalMs >= leastIntervalMs) return undefined;
  const why =
    profile === 'open-source'
      ? `Service Center counts less than ${leastIntervalMs} as ${leastIntervalMs}, so the lease is longer than asked for`
      : `Huawei Cloud wants at least ${leastIntervalMs} between two heartbeats of an instance at ${registries[profile]}`;
  return `heartbeat.intervalMs is ${intervalMs}: ${why}`;
}

/** The vendor: "For an exclusive microservice engine, enter the fixed value default." */
function projectWarning({ profile, serviceCenter }: ResolvedOptions): string | undefined {
  const { project } = serviceCenter;
  if (profile !== 'cse-exclusive' || project === 'default') return undefined;
  return `serviceCenter.project is ${JSON.stringify(project)}: an exclusive engine's is always "default"`;
}
