/** From a heartbeat to the next of the same client, to whatever address: never less. */
const leastGapMs = 250;
/** What a connection and this process add to or take from a gap. */
const jitterMs = 25;
/** For what is seen at intervals, and a machine that is busy. */
const slackMs = 1_000;
/** From when a client wants to be registered until it is, while a node is well. */
const joinMs = 10_000;
/** A standstill of at most so long costs no lease of 8 s with heartbeats each second. */
const harmlessStopMs = 2_000;

/** What must hold all along. */
export type Rule =
  /** No lease is lost that one node would have kept. */
  | 'lease'
  /** Who wants to be registered is, while a node is well. */
  | 'join'
  /** No two heartbeats of one client within 250 ms. */
  | 'pace'
  /** No change of an operator is undone. */
  | 'operator'
  /** Nobody is `registered` for longer than a lease while the registry has no record. */
  | 'ghost'
  /** Nothing is listed after leave(). */
  | 'left';

/** A rule that was broken. */
export interface Violation {
  readonly rule: Rule;
  /** Milliseconds since the beginning. */
  readonly at: number;
  readonly text: string;
}

/** How long a judge that was late hears what piled up meanwhile. */
const catchUpMs = 100;

/** What an application asks of its registration. */
export type Call = 'status' | 'properties' | 'register' | 'leave';

/** A record as the registry has it. */
export interface SeenRecord {
  readonly status: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** What an operator has written into a record. */
export interface Decree {
  readonly status?: string | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

/** What happened: at the nodes, in the registry, or in a client, which is one process. */
export type Fact =
  | { readonly kind: 'started'; readonly client: string; readonly instanceId: string }
  | { readonly kind: 'heartbeat'; readonly client: string }
  | { readonly kind: 'state'; readonly client: string; readonly state: string }
  | { readonly kind: 'lost'; readonly client: string; readonly reason: string }
  | { readonly kind: 'called'; readonly client: string; readonly call: Call }
  /** leave() has resolved. */
  | { readonly kind: 'left'; readonly client: string }
  | { readonly kind: 'ended'; readonly client: string }
  | { readonly kind: 'stopped'; readonly client: string }
  | { readonly kind: 'resumed'; readonly client: string }
  /** An operator has written; made when the registry has it. */
  | { readonly kind: 'decreed'; readonly instanceId: string; readonly decree: Decree }
  /** All records that the registry has. */
  | { readonly kind: 'sampled'; readonly records: ReadonlyMap<string, SeenRecord> }
  /** The judge's own process was late, so that gaps up to now say nothing. */
  | { readonly kind: 'lagged' };

/** What is known of one process. */
interface Client {
  readonly name: string;
  readonly instanceId: string;
  /** `starting` until it says something. */
  state: string;
  /** `leaving` until leave() has resolved. */
  wish: 'registered' | 'leaving' | 'left';
  /** Whether it has been registered since it last wished to be. */
  hasJoined: boolean;
  heartbeatAt: number;
  stoppedAt: number | undefined;
  /** Until when nothing may be asked of it, since it stood still for too long. */
  excusedUntil: number;
  /** Since when it is registered without a record. */
  ghostSince: number | undefined;
  /** Since when it wishes to be registered, with no record there. */
  missingSince: number | undefined;
}

/**
 * Judges a run from what is told, one fact after the other: it asks nobody and has no clock. While it
 * judges, each client knows at least one node that is well.
 */
export class Judge {
  readonly #clients = new Map<string, Client>();
  readonly #decrees = new Map<string, Decree>();
  #records: ReadonlyMap<string, SeenRecord> = new Map();
  /** Heartbeats heard until then may have been sent long before: gaps after them say nothing. */
  #lateUntil = -Infinity;
  readonly #blamedAt = new Map<string, number>();

  constructor(
    private readonly leaseMs: number,
    private readonly blame: (violation: Violation) => void,
  ) {}

  /** @param at milliseconds since the beginning, never less than before */
  hear(at: number, fact: Fact): void {
    switch (fact.kind) {
      case 'started':
        this.#start(fact.client, fact.instanceId);
        return;
      case 'sampled':
        this.#sample(fact.records, at);
        return;
      case 'decreed':
        this.#decrees.set(fact.instanceId, fact.decree);
        return;
      case 'lagged':
        this.#lateUntil = at + catchUpMs;
        for (const client of this.#clients.values()) client.heartbeatAt = -Infinity;
        return;
      case 'heartbeat':
      case 'state':
      case 'lost':
      case 'called':
      case 'left':
      case 'ended':
      case 'stopped':
      case 'resumed': {
        const client = this.#clients.get(fact.client);
        if (client !== undefined) this.#hearOf(client, at, fact);
      }
    }
  }

  #start(name: string, instanceId: string): void {
    this.#decrees.delete(instanceId);
    this.#clients.delete(name);
    this.#clients.set(name, {
      name,
      instanceId,
      state: 'starting',
      wish: 'registered',
      hasJoined: false,
      heartbeatAt: -Infinity,
      stoppedAt: undefined,
      excusedUntil: -Infinity,
      ghostSince: undefined,
      missingSince: undefined,
    });
  }

  #hearOf(client: Client, at: number, fact: Exclude<Fact, Impersonal>): void {
    switch (fact.kind) {
      case 'heartbeat':
        this.#pace(client, at);
        return;
      case 'state':
        client.state = fact.state;
        return;
      case 'lost':
        if (this.#holds(client, at))
          this.#blame('lease', at, client.name, `says that it is lost, ${fact.reason}`);
        return;
      case 'called':
        this.#call(client, fact.call, at);
        return;
      case 'left':
        if (client.wish === 'leaving') client.wish = 'left';
        return;
      case 'ended':
        client.wish = 'left';
        client.state = 'ended';
        // What it held may be gone before the next sample: another one has it when it is seen there.
        for (const other of this.#clientsOf(client.instanceId)) other.hasJoined = false;
        return;
      case 'stopped':
        client.stoppedAt = at;
        return;
      case 'resumed':
        this.#resume(client, at);
    }
  }

  #pace(client: Client, at: number): void {
    const gapMs = at - client.heartbeatAt;
    client.heartbeatAt = at < this.#lateUntil ? -Infinity : at;
    if (at < this.#lateUntil) return;
    if (gapMs < leastGapMs - jitterMs)
      this.#blame('pace', at, client.name, `two heartbeats within ${Math.round(gapMs)} ms`);
  }

  #call(client: Client, call: Call, at: number): void {
    const { instanceId } = client;
    const decree = this.#decrees.get(instanceId);
    if (call === 'status') this.#decrees.set(instanceId, { ...decree, status: undefined });
    if (call === 'properties') this.#decrees.set(instanceId, { ...decree, properties: undefined });
    if (call === 'leave') {
      client.wish = 'leaving';
      client.hasJoined = false;
      this.#decrees.delete(instanceId);
    }
    if (call === 'register' && client.wish !== 'registered') {
      client.wish = 'registered';
      client.missingSince = at;
    }
  }

  #resume(client: Client, at: number): void {
    const stoodMs = at - (client.stoppedAt ?? at);
    client.stoppedAt = undefined;
    client.heartbeatAt = -Infinity;
    client.ghostSince = undefined;
    client.missingSince = undefined;
    if (stoodMs <= harmlessStopMs) return;
    client.excusedUntil = at + this.leaseMs;
    this.#decrees.delete(client.instanceId);
  }

  #sample(records: ReadonlyMap<string, SeenRecord>, at: number): void {
    for (const instanceId of this.#records.keys())
      if (!records.has(instanceId)) this.#vanish(instanceId, at);
    this.#records = records;
    for (const [instanceId, record] of records) {
      this.#obey(instanceId, record, at);
      this.#checkLeft(instanceId, at);
    }
    for (const client of this.#clients.values()) {
      this.#join(client);
      this.#checkGhost(client, at);
      this.#checkMissing(client, at);
    }
  }

  /** A lease is had by a process that says so, and whose record is there. */
  #join(client: Client): void {
    const { state, wish, instanceId } = client;
    if (state !== 'registered' || wish !== 'registered' || !this.#records.has(instanceId)) return;
    if (this.#holderOf(instanceId) === client) client.hasJoined = true;
  }

  #vanish(instanceId: string, at: number): void {
    const holder = this.#holderOf(instanceId);
    if (holder !== undefined && this.#holds(holder, at))
      this.#blame('lease', at, holder.name, 'its record is gone although a node is well');
  }

  #obey(instanceId: string, { status, properties }: SeenRecord, at: number): void {
    const decree = this.#decrees.get(instanceId);
    if (decree === undefined) return;
    const undone = [
      ...(decree.status === undefined || decree.status === status
        ? []
        : [`status ${decree.status}, now ${status}`]),
      ...Object.entries(decree.properties ?? {})
        .filter(([name, value]) => properties[name] !== value)
        .map(([name, value]) => `property ${name}=${value}, now ${properties[name] ?? 'gone'}`),
    ];
    if (undone.length === 0) return;
    this.#decrees.delete(instanceId);
    this.#blame('operator', at, instanceId, `an operator set ${undone.join(' and ')}`);
  }

  #checkLeft(instanceId: string, at: number): void {
    const clients = this.#clientsOf(instanceId);
    if (clients.length > 0 && clients.every(({ wish }) => wish === 'left'))
      this.#blame('left', at, instanceId, 'is listed after leave()');
  }

  #checkGhost(client: Client, at: number): void {
    const isGhost =
      client.state === 'registered' &&
      client.stoppedAt === undefined &&
      !this.#records.has(client.instanceId);
    client.ghostSince = isGhost ? (client.ghostSince ?? at) : undefined;
    const ghostMs = at - (client.ghostSince ?? at);
    if (ghostMs > this.leaseMs + slackMs)
      this.#blame('ghost', at, client.name, `is registered, without a record for ${ghostMs} ms`);
  }

  #checkMissing(client: Client, at: number): void {
    const isMissing =
      client.wish === 'registered' &&
      client.state !== 'starting' &&
      client.stoppedAt === undefined &&
      !this.#records.has(client.instanceId);
    client.missingSince = isMissing ? (client.missingSince ?? at) : undefined;
    const missingMs = at - (client.missingSince ?? at);
    if (missingMs > joinMs)
      this.#blame(
        'join',
        at,
        client.name,
        `is ${client.state} and has no record for ${missingMs} ms although a node is well`,
      );
  }

  /** Whether a client has a lease that it must not lose. */
  #holds(client: Client, at: number): boolean {
    const { wish, hasJoined, stoppedAt = at, excusedUntil, instanceId } = client;
    return (
      this.#holderOf(instanceId) === client &&
      wish === 'registered' &&
      hasJoined &&
      at - stoppedAt <= harmlessStopMs &&
      at > excusedUntil
    );
  }

  /** Of several processes with one id the newest holds it. */
  #holderOf(instanceId: string): Client | undefined {
    return this.#clientsOf(instanceId).findLast(({ state }) => state !== 'ended');
  }

  #clientsOf(instanceId: string): readonly Client[] {
    return [...this.#clients.values()].filter(client => client.instanceId === instanceId);
  }

  /** What follows from a violation is not told again until a lease later. */
  #blame(rule: Rule, at: number, who: string, what: string): void {
    const key = `${rule} ${who}`;
    const isOld = at - (this.#blamedAt.get(key) ?? -Infinity) < 2 * this.leaseMs;
    this.#blamedAt.set(key, at);
    if (!isOld || rule === 'pace') this.blame({ rule, at, text: `${who}: ${what}` });
  }
}

type Impersonal = Extract<Fact, { readonly kind: 'started' | 'sampled' | 'decreed' | 'lagged' }>;
