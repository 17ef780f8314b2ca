import type { ServiceProcess } from '../service-process.js';
import type { Story } from './story.js';

/** What one look at both services has shown. */
export interface Observation {
  /** Whether both answer `/health` with 200, or both with 503. */
  readonly health: 'good' | 'bad' | 'mixed';
  /** Whether the caller got a greeting when it called the greeter by its name. */
  readonly isAnswered: boolean;
}

/** Asks the services what a probe, Prometheus and a user ask, and tells what has changed. */
export class Observer {
  #calls = 0;
  #answered = 0;

  constructor(
    private readonly story: Story,
    private readonly services: {
      readonly greeter: ServiceProcess;
      readonly caller: ServiceProcess;
    },
    /** Aborted when nobody is to be asked any more. */
    private readonly signal: AbortSignal,
  ) {}

  get isOver(): boolean {
    return this.signal.aborted;
  }

  async look(): Promise<Observation> {
    const { greeter, caller } = this.services;
    const [ofGreeter, ofCaller, isAnswered] = await Promise.all([
      this.#stateOf(greeter),
      this.#stateOf(caller),
      this.#call(await caller.ready),
    ]);
    if (ofGreeter !== ofCaller) return { health: 'mixed', isAnswered };
    return { health: ofGreeter === 200 ? 'good' : 'bad', isAnswered };
  }

  /** Returns how many calls by name were made since the last time, and how many of them were answered. */
  takeCalls(): { readonly calls: number; readonly answered: number } {
    const taken = { calls: this.#calls, answered: this.#answered };
    this.#calls = 0;
    this.#answered = 0;
    return taken;
  }

  /** Reads the metrics last: they are no older than the health that ends a chapter. */
  async #stateOf({ label, ready }: ServiceProcess): Promise<number> {
    const url = await ready;
    const { status, text } = await this.#get(`${url}/health`);
    const health = status === 0 ? {} : (JSON.parse(text) as Health);
    const state = health.details?.registry?.state ?? 'no answer';
    const meaning = status === 200 ? 'holds its lease' : 'holds no lease';
    this.story.observe(label, '/health', `${status}, ${state}: ${meaning}`);
    const metrics = await this.#get(`${url}/metrics`);
    if (metrics.status === 200) this.story.observe(label, '/metrics', shownMetrics(metrics.text));
    return status;
  }

  async #call(caller: string): Promise<boolean> {
    const { status } = await this.#get(`${caller}/hello?name=Ada`);
    const isAnswered = status === 200;
    this.#calls += 1;
    if (isAnswered) this.#answered += 1;
    const fact = isAnswered ? 'answered by the greeter' : 'not answered';
    this.story.observe('caller', '/hello', fact);
    return isAnswered;
  }

  async #get(url: string): Promise<Answer> {
    try {
      const { signal } = this;
      const answer = await fetch(url, { signal });
      return { status: answer.status, text: await answer.text() };
    } catch {
      return { status: 0, text: '' }; // that a service has ended is told by itself
    }
  }
}

interface Answer {
  /** 0 when nobody answers. */
  readonly status: number;
  readonly text: string;
}

/** The part of what @nestjs/terminus answers that is shown. */
interface Health {
  readonly details?: { readonly registry?: { readonly state?: string } };
}

/** Two metrics that have alert rules in `deploy/`: whether the registry serves, and how often the lease was lost. */
const shown = ['registry_address_up', 'registry_reregistrations_total'] as const;

function shownMetrics(text: string): string {
  return shown.map(name => `${name} ${sumOf(name, text)}`).join(', ');
}

/** Adds up the series of a metric; one that has no series yet is 0. */
function sumOf(name: string, text: string): number {
  const series = text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'));
  return [...series].reduce((sum, [, value]) => sum + Number(value), 0);
}
