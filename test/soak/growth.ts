import { getEventListeners } from 'node:events';
import { watchTimers } from '../support/live-timers.js';
import type { Subject } from './subject.js';

/** What a process holds, in numbers. */
export interface Holdings {
  /** Timers that the library has set. */
  readonly timers: number;
  /** Connections to the registry, and the registry's ends of them. */
  readonly sockets: number;
  /** Listeners of events, of the process, and on the signal that has most. */
  readonly listeners: number;
}

/** What one application may hold while all is well. */
const mostPerSubject: Holdings = { timers: 6, sockets: 20, listeners: 8 };

/** Counts what must not grow. */
export class Growth {
  readonly #timers = watchTimers();
  readonly #signals = new Set<WeakRef<AbortSignal>>();
  #restore: () => void = () => undefined;
  #most: Holdings = { timers: 0, sockets: 0, listeners: 0 };

  /** Watches every signal that somebody listens to from now on. */
  start(): void {
    const signals = this.#signals;
    const own = Object.getOwnPropertyDescriptor(EventTarget.prototype, 'addEventListener');
    const addEventListener: unknown = own?.value;
    if (own === undefined || typeof addEventListener !== 'function') return;
    Object.defineProperty(EventTarget.prototype, 'addEventListener', {
      ...own,
      value(this: EventTarget, ...args: unknown[]): unknown {
        if (this instanceof AbortSignal) signals.add(new WeakRef(this));
        return Reflect.apply(addEventListener, this, args);
      },
    });
    this.#restore = () => Object.defineProperty(EventTarget.prototype, 'addEventListener', own);
  }

  stop(): void {
    this.#restore();
    this.#timers.end();
  }

  /** The most that was held at a time when all was well. */
  get most(): Holdings {
    return this.#most;
  }

  /** Counts, when all is well; answers what is more than it may be. */
  sample(subjects: readonly Subject[]): string | undefined {
    const now: Holdings = {
      timers: this.#timers.live().length,
      sockets: process.getActiveResourcesInfo().filter(type => type === 'TCPSocketWrap').length,
      listeners:
        subjects.reduce((sum, { listeners }) => sum + listeners, 0) +
        process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0) +
        this.#mostOnOneSignal(),
    };
    this.#most = {
      timers: Math.max(now.timers, this.#most.timers),
      sockets: Math.max(now.sockets, this.#most.sockets),
      listeners: Math.max(now.listeners, this.#most.listeners),
    };
    const names = ['timers', 'sockets', 'listeners'] as const;
    const grown = names.find(name => now[name] > mostPerSubject[name] * subjects.length);
    return grown === undefined ? undefined : `${now[grown]} ${grown} when all is well`;
  }

  #mostOnOneSignal(): number {
    let most = 0;
    for (const weak of this.#signals) {
      const signal = weak.deref();
      if (signal === undefined) this.#signals.delete(weak);
      else most = Math.max(most, getEventListeners(signal, 'abort').length);
    }
    return most;
  }
}
