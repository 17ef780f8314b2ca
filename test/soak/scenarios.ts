import { setTimeout as delay } from 'node:timers/promises';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { SeededRandom } from '../support/seeded-random.js';
import { Cleanup, startRegistry } from '../support/test-app.js';
import { type Decree, type Fact, Judge, type Rule, type Violation } from './judge.js';
import { contradictions, gatewayMoods, type Mood } from './node.js';
import { Application, password } from './process.js';
import { deckOf } from './schedule.js';

/** What goes on in a scenario. */
export const scenarioKinds = [
  'contradiction',
  'gateway',
  'keys',
  'operator',
  'shared-id',
  'calls',
  'standstill',
] as const;

export type ScenarioKind = (typeof scenarioKinds)[number];

/**
 * Interval 1 s × (7 + 1), as the registry grants it. A shorter one leaves no time for logins, which are paced by
 * seconds (docs/registry-behaviour.md, M11), between two rotations of the keys.
 */
const leaseMs = 8_000;
const sampleMs = 50;
const applications = 3;
/** After the application's own writes, so that a change is taken for an operator's. */
const quietMs = 11_000;
/** Ten heartbeats, after which a client looks at its record, and some. */
const watchMs = 15_000;
const settleMs = 2_500;
const callMs = 15_000;
const diaryLines = 60;

/** How a run is set up. */
export interface ScenarioSettings {
  readonly minutes: number;
  readonly seed: number;
  readonly kinds: readonly ScenarioKind[];
  readonly print: (line: string) => void;
}

/**
 * Applications in processes of their own that register with a registry of two nodes, one of which
 * is always well. A violation is printed with its time and the seed, and does not end the run.
 */
export class ScenarioSoak {
  readonly violations: Violation[] = [];
  readonly #beganAt = performance.now();
  readonly #cleanup = new Cleanup();
  readonly #random: SeededRandom;
  readonly #judge = new Judge(leaseMs, violation => this.#blame(violation));
  readonly #lines: string[] = [];
  readonly #played: Partial<Record<ScenarioKind, number>> = {};
  readonly #cast: Application[] = [];
  #round = '';
  #started = 0;
  #values = 0;
  #sampledAt = performance.now();

  constructor(private readonly settings: ScenarioSettings) {
    this.#random = new SeededRandom(settings.seed);
  }

  /** Scenarios played and rules broken, each with its count. */
  get figures(): Readonly<Record<string, unknown>> {
    const broken: Partial<Record<Rule, number>> = {};
    for (const { rule } of this.violations) broken[rule] = (broken[rule] ?? 0) + 1;
    return { scenarios: this.#played, broken, violations: this.violations.length };
  }

  /** Runs; resolves with whether nothing was violated. */
  async run(): Promise<boolean> {
    try {
      await this.#run();
    } finally {
      await this.#cleanup.run();
    }
    return this.violations.length === 0;
  }

  async #run(): Promise<void> {
    const rbac = { rootPassword: password };
    const registry = await startRegistry(this.#cleanup, { rbac });
    const stranger = await startRegistry(this.#cleanup);
    const sampling = setInterval(() => this.#sample(registry), sampleMs);
    this.#cleanup.add(async () => clearInterval(sampling));
    const stage: Stage = { registry, stranger };
    for (let count = 0; count < applications; count += 1)
      await this.#join(stage, `orders-${count}`, count !== 0);
    await this.#allListed(registry);
    await delay(settleMs);
    const next = deckOf(this.settings.kinds, this.#random);
    const end = performance.now() + this.settings.minutes * 60_000;
    while (performance.now() < end) {
      const kind = next();
      this.#played[kind] = (this.#played[kind] ?? 0) + 1;
      await this.#play(kind, stage);
      await delay(settleMs);
    }
    for (const application of this.#cast) await application.terminate();
    await delay(1_000);
  }

  /** A machine that is busy takes its time to start processes; the judge knows since when they run. */
  async #allListed(registry: EmbeddedServiceCenter): Promise<void> {
    while (this.violations.length === 0 && registry.instances().length < applications)
      await delay(sampleMs);
  }

  async #join(
    { registry, stranger }: Stage,
    instanceId: string,
    isDoubtfulFirst: boolean,
    mood: Mood = 'well',
  ): Promise<Application> {
    this.#started += 1;
    const application = await Application.start(
      this.#cleanup,
      {
        name: `${instanceId}/${this.#started}`,
        instanceId,
        isDoubtfulFirst,
        registry: registry.url,
        stranger: stranger.url,
        tell: fact => this.#tell(fact),
        note: line => this.#note(line),
      },
      node => {
        node.mood = mood;
      },
    );
    this.#cast.push(application);
    return application;
  }

  #play(kind: ScenarioKind, stage: Stage): Promise<void> {
    switch (kind) {
      case 'contradiction':
        return this.#contradict(stage, contradictions);
      case 'gateway':
        return this.#contradict(stage, gatewayMoods);
      case 'keys':
        return this.#rotate();
      case 'operator':
        return this.#decree(stage.registry);
      case 'shared-id':
        return this.#share(stage);
      case 'calls':
        return this.#callAtRandom();
      case 'standstill':
        return this.#standStill();
    }
  }

  /** One node of each is wrong, for longer than a lease; one that starts meets it at once. */
  async #contradict(stage: Stage, moods: readonly Mood[]): Promise<void> {
    const mood = this.#pick(moods);
    const isBoot = this.#random.next() < 0.3;
    this.#begin(isBoot ? `a node is ${mood}, and a process starts` : `a node is ${mood}`);
    for (const { doubtful } of this.#cast) doubtful.mood = mood;
    // An answer without a body is good at every node.
    if (mood === 'empty-204') for (const { well } of this.#cast) well.mood = mood;
    if (isBoot) await this.#restart(stage, mood);
    await delay(this.#between(1.2 * leaseMs, 2.2 * leaseMs));
    for (const { doubtful, well } of this.#cast) {
      doubtful.mood = 'well';
      well.mood = 'well';
    }
  }

  async #restart(stage: Stage, mood: Mood): Promise<void> {
    const old = this.#pick(this.#cast);
    await this.#end(old);
    await this.#join(stage, old.instanceId, true, mood);
    await delay(2 * leaseMs);
  }

  async #end(application: Application): Promise<void> {
    this.#cast.splice(this.#cast.indexOf(application), 1);
    await application.terminate();
    // The judge looks before another process comes.
    await delay(2 * sampleMs);
  }

  async #rotate(): Promise<void> {
    this.#begin('the keys rotate twice');
    for (const { keys } of this.#cast) keys.rotate(1);
    await delay(2 * leaseMs);
  }

  /** An operator writes past the nodes, long after the application's last write. */
  async #decree(registry: EmbeddedServiceCenter): Promise<void> {
    const idle = this.#cast.filter(({ isCalling }) => !isCalling);
    if (idle.length === 0) return;
    const { instanceId, calledAt } = this.#pick(idle);
    this.#values += 1;
    const decree: Decree =
      this.#random.next() < 0.6
        ? { status: this.#values % 2 === 0 ? 'UP' : 'OUTOFSERVICE' }
        : { properties: { operator: String(this.#values) } };
    this.#begin(`an operator sets ${JSON.stringify(decree)} of ${instanceId}`);
    await delay(Math.max(0, quietMs - (performance.now() - calledAt)));
    // The judge says why there is no record to write to.
    if (!(await writeAs(registry, instanceId, decree))) return;
    this.#tell({ kind: 'decreed', instanceId, decree });
    await delay(watchMs);
  }

  /** Two processes with one id, of which the older or the newer leaves after a while. */
  async #share(stage: Stage): Promise<void> {
    const old = this.#pick(this.#cast);
    const leaver = this.#pick(['older', 'newer'] as const);
    this.#begin(`two processes are ${old.instanceId}, and the ${leaver} leaves`);
    const twin = await this.#join(stage, old.instanceId, false);
    await delay(this.#between(leaseMs, 2 * leaseMs));
    await this.#end(leaver === 'older' ? old : twin);
    await delay(2 * leaseMs);
  }

  async #callAtRandom(): Promise<void> {
    this.#begin('the applications call everything at random');
    const calls: Promise<void>[] = [];
    for (let count = 0; count < 12; count += 1) {
      calls.push(this.#call(this.#pick(this.#cast)));
      await delay(this.#between(0, 900));
    }
    // One that waits for a registration may wait for long.
    await Promise.race([Promise.all(calls), delay(callMs)]);
  }

  async #call(application: Application): Promise<void> {
    this.#values += 1;
    const call = this.#pick(['status', 'status', 'properties', 'properties', 'rejoin'] as const);
    if (call === 'status')
      await application.call(call, this.#values % 2 === 0 ? 'UP' : 'OUTOFSERVICE');
    else if (call === 'properties') await application.call(call, String(this.#values));
    else {
      await application.call('leave');
      await delay(this.#between(0, 500));
      await application.call('register');
    }
  }

  /** Often shorter than what is left of a lease, and sometimes longer than all of it. */
  async #standStill(): Promise<void> {
    const isLong = this.#random.next() < 0.3;
    const ms = isLong ? this.#between(leaseMs, 2 * leaseMs) : this.#between(200, 1_900);
    const application = this.#pick(this.#cast);
    this.#begin(`${application.name} stands still for ${ms} ms`);
    application.stop();
    await delay(ms);
    application.resume();
    await delay(leaseMs);
  }

  #begin(round: string): void {
    this.#round = round;
    this.#note(`— ${round}`);
    this.settings.print(`${this.#seconds.padStart(9)} ${round}`);
  }

  #sample(registry: EmbeddedServiceCenter): void {
    const now = performance.now();
    if (now - this.#sampledAt > 3 * sampleMs) this.#tell({ kind: 'lagged' });
    this.#sampledAt = now;
    const records = new Map(
      registry
        .instances()
        .filter(({ leaseRemainingMs }) => leaseRemainingMs > 0)
        .map(({ instanceId, status = '', properties = {} }) => [
          instanceId,
          { status, properties },
        ]),
    );
    this.#tell({ kind: 'sampled', records });
  }

  #tell(fact: Fact): void {
    this.#judge.hear(Math.round(performance.now() - this.#beganAt), fact);
  }

  #note(line: string): void {
    this.#lines.push(`${this.#seconds.padStart(9)} ${line}`);
    if (this.#lines.length > diaryLines) this.#lines.shift();
  }

  get #seconds(): string {
    return ((performance.now() - this.#beganAt) / 1_000).toFixed(3);
  }

  #blame(violation: Violation): void {
    this.violations.push(violation);
    const { rule, at, text } = violation;
    const when = `after ${(at / 1_000).toFixed(3)} s with --seed ${this.settings.seed}`;
    this.settings.print(
      [`VIOLATION ${when} of ${rule}: ${text}, while ${this.#round}`, ...this.#lines].join('\n'),
    );
    this.#lines.length = 0;
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.#random.next() * items.length)];
    if (item === undefined) throw new RangeError('there is nothing to pick');
    return item;
  }

  #between(low: number, high: number): number {
    return Math.round(low + (high - low) * this.#random.next());
  }
}

interface Stage {
  readonly registry: EmbeddedServiceCenter;
  /** A registry that shares nothing with the other. */
  readonly stranger: EmbeddedServiceCenter;
}

/** Writes into a record as a console does; resolves with whether there was one. */
async function writeAs(
  registry: EmbeddedServiceCenter,
  instanceId: string,
  { status, properties }: Decree,
): Promise<boolean> {
  const instance = registry.instances().find(each => each.instanceId === instanceId);
  const path = `/v4/default/registry/microservices/${instance?.serviceId}/instances/${instanceId}`;
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const token = registry.rbac?.sign({ account: 'root', roles: ['admin'], exp });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const { ok } =
    status === undefined
      ? await fetch(`${registry.url}${path}/properties`, {
          method: 'PUT',
          headers,
          body: JSON.stringify({ properties: { ...instance?.properties, ...properties } }),
        })
      : await fetch(`${registry.url}${path}/status?value=${status}`, { method: 'PUT', headers });
  return ok;
}
