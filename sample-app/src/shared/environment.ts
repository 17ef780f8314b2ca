import type { RegistryModuleOptions } from 'nestjs-servicecomb';

/**
 * The options of one service, from the environment. What is not set is left to the library's
 * defaults, so there is no second list of them here.
 */
export function registryOptions(defaultName: string): RegistryModuleOptions {
  // What is no number becomes NaN, which the library refuses in a sentence of its own.
  const numberIn = (name: string) => {
    const text = variable(name);
    return text === undefined ? undefined : Number(text);
  };
  return {
    serviceCenter: {
      // No `addresses`: the library itself reads SERVICE_CENTER_ADDRESS.
      project: variable('SERVICE_CENTER_PROJECT'),
      domain: variable('SERVICE_CENTER_DOMAIN'),
    },
    microservice: { serviceName: variable('SERVICE_NAME') ?? defaultName, version: '1.0.0' },
    instance: { instanceId: variable('INSTANCE_ID') },
    heartbeat: { intervalMs: numberIn('HEARTBEAT_INTERVAL_MS') },
    shutdown: { drainMs: numberIn('DRAIN_MS') },
  };
}

/** The port to listen on; 0 is any free one. */
export function portOr(defaultPort: number, name = 'PORT'): number {
  const text = variable(name) ?? String(defaultPort);
  const isPort = /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
  if (!isPort) throw new Error(`${name} must be a whole number from 0 to 65535, got "${text}"`);
  return Number(text);
}

/** A port to suggest instead of one that is taken. */
export function anotherPort(port: number): number {
  return port > 65_000 ? port - 100 : port + 100;
}

/** A variable that is empty counts as not set, as `PORT= npm run start:greeter` means it. */
export function variable(name: string): string | undefined {
  const value = process.env[name]?.trim();
  return value === '' ? undefined : value;
}
