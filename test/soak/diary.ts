import type { EmbeddedServiceCenter, RecordedRequest } from 'embedded-service-center';
import type { Subject } from './subject.js';

/** How many of the last lines are kept. */
const capacity = 80;

/** The last requests and events of all, for whoever looks into a violation. */
export class Diary {
  readonly #beganAt = performance.now();
  #lines: (() => string)[] = [];

  follow(registry: EmbeddedServiceCenter): void {
    registry.onRequest(request => this.#add(() => lineOf(request)));
  }

  hear(subject: Subject): void {
    subject.onEvent(({ name, payload }) => {
      const line = `${subject.name} ← ${name} ${JSON.stringify(payload, briefly)}`;
      this.#add(() => line);
    });
  }

  /** Seconds since the beginning. */
  get elapsed(): string {
    return ((performance.now() - this.#beganAt) / 1_000).toFixed(3);
  }

  get text(): string {
    return this.#lines.map(line => line()).join('\n');
  }

  #add(line: () => string): void {
    const { elapsed } = this;
    this.#lines.push(() => `${elapsed.padStart(9)} ${line()}`);
    if (this.#lines.length > capacity) this.#lines.shift();
  }
}

/** What is the same in all events is left out, and of an error all but its sentence. */
function briefly(key: string, value: unknown): unknown {
  if (key === 'at' || key === 'name' || key === 'instance') return undefined;
  return value instanceof Error ? value.message : value;
}

/** The status is known later than the request. */
function lineOf({ method, path, status }: RecordedRequest): string {
  return `${method} ${path} → ${status ?? 'no answer'}`;
}
