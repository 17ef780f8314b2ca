import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Cleanup } from '../support/test-app.js';
import type { Call, Fact } from './judge.js';
import { Keys, Node } from './node.js';

/** The account of all applications. */
export const password = 'Complicated_password1';

/** What an application is to call. */
export interface Command {
  readonly id: number;
  readonly call: Call;
  readonly value?: string | undefined;
}

/** What an application reports. */
export type Report =
  | { readonly kind: 'state'; readonly state: string }
  | { readonly kind: 'event'; readonly name: string; readonly said: string }
  | { readonly kind: 'done'; readonly id: number; readonly error: string | undefined };

/** How an application is started, and who is told of it. */
export interface Beginning {
  readonly name: string;
  readonly instanceId: string;
  /** Whether the node that may go wrong is the first address. */
  readonly isDoubtfulFirst: boolean;
  readonly registry: string;
  readonly stranger: string;
  readonly tell: (fact: Fact) => void;
  readonly note: (line: string) => void;
}

/** An application in a process of its own, with two addresses of the registry for itself. */
export class Application {
  readonly keys: Keys;
  /** Milliseconds at which it was last asked for something. */
  calledAt = -Infinity;
  #calls = 0;
  readonly #open = new Map<number, () => void>();

  private constructor(
    private readonly beginning: Beginning,
    /** The node that may go wrong. */
    readonly doubtful: Node,
    /** The node that contradicts nobody. */
    readonly well: Node,
    keys: Keys,
    private readonly child: ChildProcess,
  ) {
    this.keys = keys;
  }

  /** @param prepare called before it starts, to spoil a node */
  static async start(
    cleanup: Cleanup,
    beginning: Beginning,
    prepare: (doubtful: Node) => void = () => undefined,
  ): Promise<Application> {
    const { name, instanceId, registry, stranger, tell, note } = beginning;
    const keys = new Keys();
    const onRequest = (side: string) => (line: string, isHeartbeat: boolean) => {
      note(`${name} ${side} ${line}`);
      if (isHeartbeat) tell({ kind: 'heartbeat', client: name });
    };
    const parts = { registry, stranger, keys };
    const doubtful = await Node.start(cleanup, { ...parts, onRequest: onRequest('doubtful') });
    const well = await Node.start(cleanup, { ...parts, onRequest: onRequest('well') });
    prepare(doubtful);
    const addresses = [doubtful.url, well.url];
    const args = [
      instanceId,
      password,
      ...(beginning.isDoubtfulFirst ? addresses : addresses.toReversed()),
    ];
    tell({ kind: 'started', client: name, instanceId });
    const child = fork(join(import.meta.dirname, 'application.js'), args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const application = new Application(beginning, doubtful, well, keys, child);
    child.on('message', (report: Report) => application.#hear(report));
    child.once('exit', (code, signal) => {
      note(`${name} ended, ${signal ?? code}`);
      tell({ kind: 'ended', client: name });
      for (const done of application.#open.values()) done();
    });
    cleanup.add(async () => {
      child.kill('SIGKILL');
    });
    return application;
  }

  get name(): string {
    return this.beginning.name;
  }

  get instanceId(): string {
    return this.beginning.instanceId;
  }

  /** Whether something that it was asked for is not done yet. */
  get isCalling(): boolean {
    return this.#open.size > 0;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Has it call something; resolves when that is done, or has failed, or the process has ended. */
  async call(call: Call, value?: string): Promise<void> {
    const { tell, note } = this.beginning;
    this.calledAt = performance.now();
    this.#calls += 1;
    const id = this.#calls;
    note(`${this.name} calls ${call} ${value ?? ''}`);
    tell({ kind: 'called', client: this.name, call });
    const done = new Promise<void>(resolve => this.#open.set(id, resolve));
    this.child.send({ id, call, value } satisfies Command, () => undefined);
    await done;
    this.#open.delete(id);
    if (call === 'leave') tell({ kind: 'left', client: this.name });
  }

  stop(): void {
    this.child.kill('SIGSTOP');
    this.beginning.tell({ kind: 'stopped', client: this.name });
  }

  resume(): void {
    this.beginning.tell({ kind: 'resumed', client: this.name });
    this.child.kill('SIGCONT');
  }

  /** Ends it as an orchestrator does; resolves when the process has ended. */
  async terminate(): Promise<void> {
    if (!this.isAlive) return;
    const ended = once(this.child, 'exit');
    this.beginning.tell({ kind: 'called', client: this.name, call: 'leave' });
    this.child.kill('SIGTERM');
    await ended;
  }

  #hear(report: Report): void {
    const { tell, note } = this.beginning;
    switch (report.kind) {
      case 'state':
        note(`${this.name} is ${report.state}`);
        tell({ kind: 'state', client: this.name, state: report.state });
        return;
      case 'event':
        note(`${this.name} ← ${report.name} ${report.said}`);
        if (report.name === 'servicecomb.instance.lost')
          tell({ kind: 'lost', client: this.name, reason: report.said });
        return;
      case 'done':
        if (report.error !== undefined) note(`${this.name} call failed: ${report.error}`);
        this.#open.get(report.id)?.();
    }
  }
}
