import type { RegistryEventName } from '../../lib/index.js';
import type { FaultKind } from './schedule.js';

/** What a run has come to, in numbers. */
export class Figures {
  violations = 0;
  readonly faults: Partial<Record<FaultKind, number>> = {};
  readonly #events: Partial<Record<RegistryEventName, number>> = {};
  /** How long those that a fault had cost something took to be back, in milliseconds. */
  readonly #backs: number[] = [];
  #unharmed = 0;

  strike(fault: FaultKind): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
  }

  hear(name: RegistryEventName): void {
    this.#events[name] = (this.#events[name] ?? 0) + 1;
  }

  /** An application is as it should be so long after a fault; undefined when it was all along. */
  back(tookMs: number | undefined): void {
    if (tookMs === undefined) this.#unharmed += 1;
    else this.#backs.push(Math.round(tookMs));
  }

  /** All of it, for a line of JSON. */
  toJSON(): Readonly<Record<string, unknown>> {
    const sorted = this.#backs.toSorted((left, right) => left - right);
    return {
      beats: this.#events['servicecomb.heartbeat.succeeded'] ?? 0,
      losses: this.#events['servicecomb.instance.lost'] ?? 0,
      faults: this.faults,
      unharmed: this.#unharmed,
      recoveries: sorted.length,
      backMs: {
        min: sorted[0] ?? null,
        median: sorted[Math.floor(sorted.length / 2)] ?? null,
        max: sorted.at(-1) ?? null,
      },
      violations: this.violations,
    };
  }
}
