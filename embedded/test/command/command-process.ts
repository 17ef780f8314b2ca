import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const program = resolve(import.meta.dirname, '../../lib/command/main.js');
const deadlineMs = 20_000;
const running = new Set<CommandProcess>();

/** The command in its own process group, as a terminal starts it. */
export class CommandProcess {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;

  constructor(...flags: readonly string[]) {
    this.#child = spawn(process.execPath, [program, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#closed = once(this.#child, 'close');
    for (const stream of ['stdout', 'stderr'] as const) {
      const input = this.#child[stream];
      if (input !== null) createInterface({ input }).on('line', line => this[stream].push(line));
    }
    running.add(this);
  }

  /** Resolves to the URL that it prints once it listens. */
  url(): Promise<string> {
    return eventually('a URL in the output', () => {
      if (this.#child.exitCode !== null) throw new Error(`It ended: ${this.stderr.join('\n')}`);
      return /on (http:\/\/127\.0\.0\.1:\d+)/.exec(this.stdout.join('\n'))?.[1];
    });
  }

  /** Sends SIGINT to the whole group, as a terminal does. */
  pressCtrlC(): void {
    this.#signalGroup('SIGINT');
  }

  /** Sends a signal to the command only. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves to the exit code; null if a signal ended the process. */
  async exitCode(): Promise<unknown> {
    const [code] = await this.#closed;
    return code;
  }

  /** Ends the rest of the group. */
  async end(): Promise<void> {
    this.#signalGroup('SIGKILL');
    await this.#closed;
    running.delete(this);
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group has ended already.
    }
  }
}

/** Ends every command that a test started, even if the test failed. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map(command => command.end()));
}

/** Resolves to the first value that `look` returns; rejects after 20 s. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  while (performance.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(20);
  }
  throw new Error(`Waited ${deadlineMs} ms in vain for ${what}`);
}
