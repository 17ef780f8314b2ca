import type { RegistryProfile } from './options.js';
import type { ResolvedOptions } from './resolved-options.js';

/** The defaults and the limits of one kind of registry. */
interface Profile {
  /** Default of `heartbeat.intervalMs` and `discovery.pollIntervalMs`. */
  readonly intervalMs: number;
  /** A shorter interval causes a warning. In milliseconds. */
  readonly leastIntervalMs: number;
  /** Whether a heartbeat must never come sooner than one interval after the previous one; nor may a poll. */
  readonly neverEarly: boolean;
  /** Default of `discovery.watch`: some engines answer the handshake with a timeout. */
  readonly watch: boolean;
  /** Options of `serviceCenter` that have no default here. */
  readonly required?: readonly ('project' | 'domain')[];
  /** Name of the registry in a warning. */
  readonly title: string;
}

const professional: Profile = {
  intervalMs: 30_000,
  leastIntervalMs: 30_000,
  neverEarly: true,
  watch: false,
  title: 'a professional engine',
};

/**
 * The profiles. The minimum of the open-source server is in its datasource/etcd/ms.go, those of the
 * engines are in the vendor's restrictions (servicestage_01_0015), as minimum distances of heartbeats.
 * No page states one for the older API; that of the professional engine stands in.
 */
export const profiles: Readonly<Record<RegistryProfile, Profile>> = {
  'open-source': {
    intervalMs: 15_000,
    leastIntervalMs: 5_000,
    neverEarly: false,
    watch: true,
    title: 'Service Center',
  },
  'cse-exclusive': {
    intervalMs: 20_000,
    leastIntervalMs: 20_000,
    neverEarly: true,
    watch: false,
    title: 'an exclusive engine',
  },
  'cse-professional': professional,
  'cse-legacy': { ...professional, required: ['project', 'domain'], title: 'the older API' },
};

/** The names of the profiles. */
export const profileNames: readonly RegistryProfile[] = [
  'open-source',
  'cse-exclusive',
  'cse-professional',
  'cse-legacy',
];

/** Returns a sentence for each option that the profile advises against. */
export function profileWarnings(options: ResolvedOptions): readonly string[] {
  return [intervalWarning(options), projectWarning(options)].filter(
    warning => warning !== undefined,
  );
}

function intervalWarning({ profile, heartbeat }: ResolvedOptions): string | undefined {
  const { leastIntervalMs, title } = profiles[profile];
  const { intervalMs } = heartbeat;
  if (intervalMs >= leastIntervalMs) return undefined;
  const why =
    profile === 'open-source'
      ? `${title} counts less than ${leastIntervalMs} as ${leastIntervalMs}, so the lease is longer than requested`
      : `Huawei Cloud requires at least ${leastIntervalMs} between two heartbeats of an instance at ${title}`;
  return `heartbeat.intervalMs is ${intervalMs}: ${why}; set it to ${leastIntervalMs} or more`;
}

/** The vendor: "For an exclusive microservice engine, enter the fixed value default." */
function projectWarning({ profile, serviceCenter }: ResolvedOptions): string | undefined {
  const { project } = serviceCenter;
  if (profile !== 'cse-exclusive' || project === 'default') return undefined;
  return `serviceCenter.project is ${JSON.stringify(project)}: the project of an exclusive engine is always "default"; set it to that`;
}
