import type { ServiceProcess } from '../service-process.js';
import type { Story } from './story.js';

/** What one look at both services has shown. */
export interface Observation {
  /** Whether both answer `/health` with 200, or both with 503. */
  readonly health: 'good' | 'bad' | 'mixed';
  /** Whether the caller got a greeting when it called the greeter by its name. */
  readonly isAnswered: boolean;
}

/** Asks the services what a probe and a user ask, and tells what has changed. */
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
      this.#healthOf(greeter),
      this.#healthOf(caller),
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

  async #healthOf({ label, ready }: ServiceProcess): Promise<number> {
    const { status, body } = await this.#get(`${await ready}/health`);
    const state = body?.details?.registry?.state ?? 'no answer';
    const meaning = status === 200 ? 'holds its lease' : 'holds no lease';
    this.story.observe(label, '/health', `${status}, ${state}: ${meaning}`);
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
      return { status: answer.status, body: (await answer.json()) as NonNullable<Answer['body']> };
    } catch {
      return { status: 0 }; // that a service has ended is told by itself
    }
  }
}

interface Answer {
  /** 0 when nobody answers. */
  readonly status: number;
  /** The part of what @nestjs/terminus answers that is shown. */
  readonly body?: { readonly details?: { readonly registry?: { readonly state?: string } } };
}
