import type { EmbeddedServiceCenter } from 'embedded-service-center';

/** The number of watchers that are open at a registry now. */
export function openWatchers({ faults }: EmbeddedServiceCenter): number {
  const end = faults.muteWatchers();
  const watchers = Number(faults.list().at(-1)?.settings['watchers']);
  end();
  return watchers;
}
