import type { InjectionToken, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/**
 * The kind of application without an HTTP server that this is. Nest tells microservices from application
 * contexts since 11.1.5; before, either is a microservice here.
 */
export function hostWithoutServer(modules: ModulesContainer): 'microservice' | 'context' {
  if (!('getRpcTargetRegistry' in modules)) return 'microservice';
  let kind: 'microservice' | 'context' = 'context';
  // A subject that replays: the server of the microservice is in it before any hook runs.
  const subscription = modules.getRpcTargetRegistry().subscribe(() => {
    kind = 'microservice';
  });
  subscription.unsubscribe();
  return kind;
}

/**
 * Whether Nest closes an application of this process at SIGTERM. Listeners of anybody else do not count.
 * Nest does not tell, so its listener is known by the message that it logs when closing fails; names of
 * properties and texts outlive minifiers.
 */
export function areShutdownHooksOn(): boolean {
  return process
    .listeners('SIGTERM')
    .some(listener =>
      /ERROR_DURING_SHUTDOWN|Error happened during shutdown/.test(String(listener)),
    );
}

/**
 * Returns the names of the modules that import the module of a provider below the root module; none if the
 * root module imports it alone. The root of a testing module is not one of the application.
 */
export function importersBelowRoot(modules: ModulesContainer, provider: Type): readonly string[] {
  const all = [...modules.values()];
  const own = all.find(({ providers }) => providers.has(provider));
  if (own === undefined) return [];
  const importers = all.filter(module => module.imports.has(own));
  const isTested = all.some(({ name }) => name === 'RootTestModule');
  return importers.filter(({ distance }) => distance > (isTested ? 2 : 1)).map(({ name }) => name);
}

/** Whether a provider, or something that it needs, is request-scoped or transient. */
export function isScoped(modules: ModulesContainer, token: InjectionToken): boolean {
  return [...modules.values()].some(({ providers }) => {
    const provider = providers.get(token);
    return provider !== undefined && (provider.isTransient || !provider.isDependencyTreeStatic());
  });
}
