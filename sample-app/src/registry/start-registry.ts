import { EmbeddedServiceCenter } from 'embedded-service-center';

/**
 * Starts a Service Center in this process.
 *
 * @param remedy what to do when its port is taken
 */
export async function startRegistry(port: number, remedy: string): Promise<EmbeddedServiceCenter> {
  const registry = new EmbeddedServiceCenter({ port });
  try {
    await registry.start();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)} ${remedy}`, {
      cause: error,
    });
  }
  return registry;
}
