import type { EmbeddedServiceCenter, LiveInstance, RecordedRequest } from 'embedded-service-center';
import { type Heard, leaseMs, leaveMs, type Subject } from './subject.js';

/** What the applications may see of a registration that is up. */
const upStates: ReadonlySet<string> = new Set(['registered', 'degraded', 'at-risk']);
const writes: ReadonlySet<RecordedRequest['operation']> = new Set([
  'registerMicroservice',
  'registerInstance',
  'heartbeat',
  'setInstanceStatus',
  'setInstanceProperties',
  'unregisterInstance',
]);
/** For what is seen at intervals, and a loop that is busy. */
const slackMs = 1_000;

/** What an application was told last, and what it has done since. */
interface Chapter {
  readonly kind: 'new' | 'held' | 'expired' | 'forgotten' | 'left' | 'left-unsure';
  readonly posts: number;
}

/** Watches one application: what it sends, what it hears, and what the registry has of it. */
export class Referee {
  /** Whether what goes wrong now may cost the lease. */
  mayLose = true;
  #chapter: Chapter = { kind: 'new', posts: 0 };
  /** When the last good heartbeat or registration was sent, at the latest. */
  #renewedAt = -Infinity;
  #listedAt = performance.now();
  /** When our end of the lease was last not later than the registry's. */
  #agreedAt = performance.now();

  constructor(
    private readonly registry: EmbeddedServiceCenter,
    private readonly subject: Subject,
    private readonly blame: (violation: string) => void,
  ) {}

  start(): void {
    this.registry.onRequest(request => this.#receives(request));
    this.subject.onEvent(heard => this.#hears(heard));
    this.subject.onLeft = tookMs => this.#left(tookMs);
  }

  get name(): string {
    return this.subject.name;
  }

  /** The instance as the registry lists it, or has it in its store. */
  get listed(): LiveInstance | undefined {
    return this.registry
      .instances()
      .find(
        ({ instanceId, leaseRemainingMs }) =>
          instanceId === this.subject.name && leaseRemainingMs > 0,
      );
  }

  /** Why the instance is not back yet; undefined once it is what the application wants. */
  get missing(): string | undefined {
    const { registration, status, properties } = this.subject;
    const { listed } = this;
    if (listed === undefined) return 'not listed';
    if (registration.state !== 'registered') return `state ${registration.state}`;
    if (listed.status !== status) return `status ${listed.status} instead of ${status}`;
    const differing = Object.entries(properties).find(
      ([name, value]) => listed.properties?.[name] !== value,
    );
    return differing === undefined ? undefined : `property ${differing.join('=')} is missing`;
  }

  /** Compares what the application is told with what the registry has; to be called all along. */
  sample(): void {
    const now = performance.now();
    const { listed } = this;
    const { state, leaseRemainingMs } = this.subject.registration.snapshot();
    if (listed !== undefined || !upStates.has(state)) this.#listedAt = now;
    const unlistedMs = now - this.#listedAt;
    if (unlistedMs > leaseMs + slackMs)
      this.#blame(`is ${state}, and has not been listed for ${Math.round(unlistedMs)} ms`);
    const { renewalStepMs, storeDown } = this.registry.oddities.values;
    const lateMs = (leaseRemainingMs ?? 0) - (listed?.leaseRemainingMs ?? Infinity);
    // Leases stand still while the store is down, and start anew when it is back.
    if (storeDown || lateMs <= 100) this.#agreedAt = now;
    // A registry that renews in steps has the renewal done by the next one.
    if (now - this.#agreedAt > renewalStepMs + slackMs)
      this.#blame(`thinks that its lease ends ${Math.round(lateMs)} ms later than it does`);
    if (this.subject.bugs > 0) this.#blame('a turn of its ticker failed');
  }

  #blame(violation: string): void {
    this.blame(`${this.subject.name}: ${violation}`);
  }

  #receives(request: RecordedRequest): void {
    if (!this.#isOurs(request)) return;
    const isWrite = writes.has(request.operation);
    if (isWrite && this.subject.isWanted === false && this.#chapter.kind !== 'left-unsure')
      this.#blame(`${request.method} ${request.path} came after leave() had resolved`);
    if (request.operation === 'registerInstance') this.#posts();
  }

  #posts(): void {
    const why = this.#reasonToPost();
    const { listed } = this;
    if (why === undefined && listed !== undefined)
      this.#blame(
        `POST while the lease lives (${Math.round(listed.leaseRemainingMs)} ms are left), ${this.#chapter.kind}`,
      );
    this.#chapter = { ...this.#chapter, posts: this.#chapter.posts + 1 };
  }

  /** Where the application cannot know of a lease, or its own clock says that it is over. */
  #reasonToPost(): string | undefined {
    const { kind, posts } = this.#chapter;
    if (kind === 'left-unsure') return 'the removal may have failed';
    if (kind !== 'held' && posts > 0) return 'the POST before it was not acknowledged';
    const silentMs = performance.now() - this.#renewedAt;
    return kind === 'expired' && silentMs >= leaseMs - 50 ? 'nothing was heard' : undefined;
  }

  #hears({ name, payload }: Heard): void {
    if (name === 'servicecomb.heartbeat.succeeded')
      this.#renewedAt = performance.now() - Number(payload['tookMs']);
    if (name === 'servicecomb.instance.lost' && !this.mayLose)
      this.#blame('lost its lease although one address served');
    const kind = chapterAfter(name, payload);
    if (kind !== undefined) this.#chapter = { kind, posts: 0 };
  }

  #left(tookMs: number): void {
    if (tookMs > leaveMs + slackMs) this.#blame(`leave() took ${Math.round(tookMs)} ms`);
    if (this.#chapter.kind !== 'left-unsure' && this.listed !== undefined)
      this.#blame('is still listed when leave() has resolved');
  }

  #isOurs({ path, body }: RecordedRequest): boolean {
    const { name } = this.subject;
    return path.includes(`/${name}`) || body.includes(`"${name}"`);
  }
}

function chapterAfter(name: Heard['name'], payload: Heard['payload']): Chapter['kind'] | undefined {
  if (name === 'servicecomb.instance.registered') return 'held';
  if (name === 'servicecomb.instance.lost')
    return payload['reason'] === 'expired' ? 'expired' : 'forgotten';
  if (name === 'servicecomb.instance.unregistered')
    return payload['confirmed'] === true ? 'left' : 'left-unsure';
  return name === 'servicecomb.instance.unregister-failed' ? 'left-unsure' : undefined;
}
