import { SeededRandom } from './seeded-random.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedProcess, type SimulatedProcessOptions } from './simulated-process.js';
import { SimulatedRegistry, type SimulatedRegistryOptions } from './simulated-registry.js';

/** A registry and the processes it lists, in simulated time: minutes pass in milliseconds. */
export class Simulation {
  readonly clock = new SimulatedClock();
  readonly registry: SimulatedRegistry;
  readonly #random: SeededRandom;

  /** @param seed of all that is drawn: the same seed, the same run */
  constructor(seed = 1, options: SimulatedRegistryOptions = {}) {
    this.registry = new SimulatedRegistry(this.clock, options);
    this.#random = new SeededRandom(seed);
  }

  /** From 0 on, below 1. */
  readonly draw = (): number => this.#random.next();

  /** A process that has not started. */
  process(options: SimulatedProcessOptions = {}): SimulatedProcess {
    return new SimulatedProcess(this.clock, this.registry, { random: this.draw, ...options });
  }

  /** A process that has registered. */
  async registered(options: SimulatedProcessOptions = {}): Promise<SimulatedProcess> {
    const process = this.process(options);
    process.start();
    await this.clock.until(() => process.core.state === 'registered');
    return process;
  }

  /** Whether the registry's store lists an instance, whatever its caches say. */
  isListed(instanceId = 'orders-0'): boolean {
    return this.registry.instances().some(each => each.instanceId === instanceId);
  }
}
