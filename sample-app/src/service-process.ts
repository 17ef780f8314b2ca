import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Progress } from './shared/progress.js';

/** Longer than a service takes to leave the registry, which is bounded by `shutdown.timeoutMs`. */
const patienceMs = 10_000;

/** A service in a process of its own; its output appears here, each line under its name, or goes where it is told. */
export class ServiceProcess {
  /** Resolves with the URL that the service serves; never when it cannot start. */
  readonly ready: Promise<string>;
  /** Resolves once the process is gone: with one sentence why it ended, unless it was asked to. */
  readonly ended: Promise<string | undefined>;
  readonly #child: ChildProcess;
  #hasStarted = false;
  #isAsked = false;

  /** @param label stands before its lines, and differs where several processes run one service */
  constructor(
    name: string,
    readonly label: string,
    env: NodeJS.ProcessEnv,
    private readonly write: (line: string) => void = line => show(label, line),
  ) {
    const main = fileURLToPath(new URL(`${name}/main.js`, import.meta.url));
    this.#child = fork(main, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#show(this.#child.stdout);
    this.#show(this.#child.stderr);
    this.ready = new Promise(resolve => {
      this.#child.on('message', (progress: Progress) => {
        if (!('ready' in progress)) return;
        this.#hasStarted = true;
        resolve(progress.ready);
      });
    });
    this.ended = this.#end();
  }

  /** Whether the service has started, which stays true when it ends. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks the process to end, and resolves when it has. One that ended already is not asked. */
  async stop(): Promise<void> {
    this.#isAsked = true;
    this.#child.kill('SIGTERM');
    const tooLong = delay(patienceMs, undefined, { ref: false }).then(() => {
      this.#child.kill('SIGKILL');
    });
    await Promise.race([this.ended, tooLong]);
    await this.ended;
  }

  #end(): Promise<string | undefined> {
    let failure: string | undefined;
    this.#child.on('message', (progress: Progress) => {
      if ('failed' in progress) failure = progress.failed;
    });
    return new Promise(resolve => {
      // Unlike 'exit', 'close' comes after the last line of output.
      this.#child.on('close', (code, signal) => {
        const byItself = `${this.label} ended by itself: ${signal ?? `exit code ${code}`}`;
        resolve(failure ?? (this.#isAsked ? undefined : byItself));
      });
    });
  }

  #show(output: Readable | null): void {
    if (output === null) return;
    createInterface({ input: output }).on('line', line => this.write(line));
  }
}

/** Writes a line under the name of who says it. */
export function show(name: string, line: string): void {
  console.log(`${name.padEnd(8)} | ${line}`);
}
