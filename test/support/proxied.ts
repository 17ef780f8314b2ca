import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { FaultProxy } from './fault-proxy.js';
import { type Cleanup, startRegistry } from './test-app.js';

/** A registry with a proxy before it. */
export interface Proxied {
  readonly registry: EmbeddedServiceCenter;
  readonly proxy: FaultProxy;
}

/** Starts a proxy before a server. */
export async function startProxy(cleanup: Cleanup, target: string): Promise<FaultProxy> {
  const proxy = await new FaultProxy(target).start();
  cleanup.add(() => proxy.refuse());
  return proxy;
}

/** Starts a registry, and a proxy before it. */
export async function startProxied(cleanup: Cleanup): Promise<Proxied> {
  const registry = await startRegistry(cleanup);
  return { registry, proxy: await startProxy(cleanup, registry.url) };
}
