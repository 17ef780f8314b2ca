import { show } from '../service-process.js';

/** What an event means to somebody who sees it for the first time. */
const meanings: Readonly<Record<string, string>> = {
  'servicecomb.service.registered': 'the registry knows the name and the version of the service',
  'servicecomb.instance.registered': 'this process is listed for as long as its lease lives',
  'servicecomb.instance.lost': 'the lease has ended, so nobody finds this process any more',
  'servicecomb.instance.unregistered': 'this process has taken itself off the list',
  'servicecomb.instance.unregister-failed': 'nobody answered, so the lease has to run out',
  'servicecomb.registration.failed': 'could not register; tries again, a little later each time',
  'servicecomb.heartbeat.succeeded': 'the lease is renewed; this is shown once',
  'servicecomb.heartbeat.failed':
    'no answer to a heartbeat; it is repeated while the lease runs out',
  'servicecomb.heartbeat.recovered': 'a heartbeat is answered again',
  'servicecomb.lease.at-risk': 'a third of the lease is left',
  'servicecomb.address.isolated': 'the registry does not answer; its address is probed meanwhile',
  'servicecomb.address.restored': 'the registry answers a probe',
  'servicecomb.discovery.changed': 'the list of greeters is another one',
  'servicecomb.discovery.failed': 'could not read the list of greeters; the known ones are kept',
  'servicecomb.discovery.emptied':
    'the list of greeters is empty, which is doubted: the known ones are kept',
  'servicecomb.discovery.recovered': 'the list of greeters can be read again',
  'servicecomb.watch.opened': 'the registry pushes changes of the list',
  'servicecomb.watch.lost': 'the registry pushes no changes any more',
};

/** Writes what changes, with the seconds since the beginning. Each event is told once in a chapter. */
export class Story {
  readonly #startedAt = performance.now();
  readonly #told = new Set<string>();
  readonly #last = new Map<string, string>();
  #isEnding = false;

  /** Begins a chapter with what the demonstration does. */
  chapter(title: string): void {
    if (this.#isEnding) return;
    this.#told.clear();
    console.log('');
    this.#write('demo', title);
  }

  /** Begins the last chapter, in which nothing but events is told. */
  end(title: string): void {
    this.chapter(title);
    this.#isEnding = true;
  }

  /** Ends a chapter with what came of it. */
  conclude(result: string): void {
    if (!this.#isEnding) this.#write('demo', result);
  }

  /** Tells a fact when it is another one than before. */
  observe(name: string, what: string, fact: string): void {
    const key = `${name} ${what}`;
    if (this.#isEnding || this.#last.get(key) === fact) return;
    this.#last.set(key, fact);
    this.#write(name, `${what}: ${fact}`);
  }

  /** Tells an event when a line of a service's output is one, and has not been told in this chapter. */
  hear(name: string, line: string): void {
    const [, event] = /^\d\d:\d\d:\d\d (servicecomb\.\S+)/.exec(line) ?? [];
    if (event === undefined || this.#told.has(event)) return;
    this.#told.add(event);
    const meaning = meanings[event];
    this.#write(name, meaning === undefined ? event : `${event}: ${meaning}`);
  }

  #write(name: string, text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(1);
    show(name, `${seconds.padStart(4)} s  ${text}`);
  }
}
