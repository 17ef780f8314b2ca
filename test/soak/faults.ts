import type { EmbeddedServiceCenter } from 'embedded-service-center';
import type { FaultProxy } from '../support/fault-proxy.js';
import type { Climate, Round, Target } from './schedule.js';

/** What faults are put on. */
export interface Targets {
  readonly registry: EmbeddedServiceCenter;
  /** Before the registry: one of its addresses. */
  readonly proxy: FaultProxy;
}

type Heal = () => Promise<void> | void;

const nothing: Heal = () => undefined;

/** Puts a fault on; what it resolves to ends it. One that strikes at once has no end. */
export async function strike(
  { registry, proxy }: Targets,
  { fault, target, lastsMs }: Round,
): Promise<Heal> {
  const { faults } = registry;
  const match = operationOf(target);
  const after = { ...match, when: 'after' } as const;
  switch (fault) {
    case 'refuse':
      return faults.refuse();
    case 'hang':
      return faults.hang(match);
    case 'hang-after':
      return faults.hang(after);
    case 'delay':
      return faults.delay(Math.min(lastsMs, 700), match);
    case 'reset':
      return faults.reset(match);
    case 'reset-after':
      return faults.reset(after);
    case 'answer-500':
      return faults.answer(500, { errorCode: 500_003 }, match);
    case 'answer-500-after':
      return faults.answer(500, { errorCode: 500_003 }, after);
    case 'answer-503':
      return faults.answer(503, 'upstream connect error', match);
    case 'answer-429':
      return faults.answer(429, 'slow down', { ...match, headers: { 'Retry-After': '1' } });
    case 'html':
      return faults.answer(404, '<html><body>Welcome to nginx</body></html>', {
        ...match,
        contentType: 'text/html',
      });
    case 'garbage':
      return faults.answer(400, '{"errorCode":"4000', match);
    case 'forget':
      for (const { instanceId } of registry.instances()) registry.forget(instanceId);
      return nothing;
    case 'forget-service':
      for (const { serviceId } of registry.instances()) registry.forgetService(serviceId);
      return nothing;
    case 'store-outage':
      registry.oddities.set({ storeDown: true, storeTimeoutMs: 300, unhealthyAfterMs: 1_000 });
      return () => registry.oddities.set({ storeDown: false });
    case 'blocked-loop':
      block(lastsMs);
      return nothing;
    case 'one-suspended':
      proxy.suspend();
      return () => proxy.resume();
    case 'one-silent':
      proxy.pause('from');
      return () => proxy.resume();
    case 'one-refused':
      await proxy.refuse();
      return async () => {
        await proxy.start();
      };
  }
}

/** Whether the fault is over as soon as it has struck. */
export function strikesAtOnce({ fault }: Round): boolean {
  return fault === 'forget' || fault === 'forget-service' || fault === 'blocked-loop';
}

/** Whether one address of two still serves: nobody who knows both may lose a lease. */
export function leavesAnAddress({ fault }: Round): boolean {
  return fault.startsWith('one-');
}

/** How far the registry lags behind what it is told (embedded/docs/reference.md). */
export function setClimate({ oddities }: EmbeddedServiceCenter, climate: Climate): void {
  oddities.set({
    publicationMs: climate === 'lagging' ? 300 : 0,
    deletionWindowMs: climate === 'lagging' ? 2_000 : 0,
    lostDeletions: climate === 'lagging',
    renewalStepMs: climate === 'spurious' ? 1_000 : 0,
    spuriousLossChance: climate === 'spurious' ? 0.7 : 0,
    dyingLeaseMs: climate === 'dying' ? 600 : 0,
    lostRegistrationMs: climate === 'dying' ? 5 : 0,
  });
}

function operationOf(target: Target) {
  return target === 'all' ? {} : { operation: target };
}

/** Nothing else runs in this process meanwhile. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
