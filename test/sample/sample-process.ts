import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

type Program =
  'npm start' | 'start' | 'failure/main' | 'registry/main' | 'greeter/main' | 'caller/main';
type Environment = Readonly<Record<string, string>>;

/** What the sample reads; only what a test sets may reach it. */
const variables = [
  'SERVICE_CENTER_ADDRESS',
  'PAAS_CSE_SC_ENDPOINT',
  'PORT',
  'REGISTRY_PORT',
  'GREETERS',
  'GREETER_PORT',
  'CALLER_PORT',
  'HEARTBEAT_INTERVAL_MS',
  'DRAIN_MS',
  'HOST',
  'SERVICE_NAME',
  'INSTANCE_ID',
  'SERVICE_CENTER_PROJECT',
  'SERVICE_CENTER_DOMAIN',
];

const deadlineMs = 20_000;
const running = new Set<SampleProcess>();

/** A program of the sample, as its user starts it: in a process group of its own, like a terminal's. */
export class SampleProcess {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  #isOpen = true;

  constructor(program: Program, env: Environment = {}) {
    const [command, ...args] = commandOf(program);
    const others = Object.fromEntries(variables.map(name => [name, undefined]));
    this.#child = spawn(command, args, {
      env: { ...process.env, ...others, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#closed = once(this.#child, 'close');
    this.#child.once('close', () => {
      this.#isOpen = false;
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      const input = this.#child[stream];
      if (input !== null) createInterface({ input }).on('line', line => this[stream].push(line));
    }
    running.add(this);
  }

  get output(): string {
    return [...this.stdout, ...this.stderr].join('\n');
  }

  /** Resolves with the first match in what is printed; rejects with all output if none can come. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    try {
      return await eventually(`${pattern} in the output`, () => {
        const match = pattern.exec(this.output);
        if (match === null && !this.#isOpen) throw new Error('The program has ended');
        return match ?? undefined;
      });
    } catch (error) {
      throw new Error(`${String(error)}; it printed:\n${this.output}`, { cause: error });
    }
  }

  /** The URL that a service says it listens on. */
  async url(): Promise<string> {
    const [, url = ''] = await this.prints(/on (http:\/\/127\.0\.0\.1:\d+)/);
    return url;
  }

  /** What Ctrl-C in a terminal does: the whole group is told. */
  pressCtrlC(): void {
    this.#signalGroup('SIGINT');
  }

  /** Tells this process only, not those that it started. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the exit code; null when a signal ended the process. */
  async exitCode(): Promise<unknown> {
    const [code] = await this.#closed;
    return code;
  }

  /** Ends whatever is left of the group. */
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
      // Nobody of the group is left.
    }
  }
}

/** With npm, what is built already is not built again under the feet of the other tests. */
function commandOf(program: Program): [command: string, ...args: string[]] {
  if (program === 'npm start') return ['npm', 'start', '--silent', '--ignore-scripts'];
  return [process.execPath, join(process.cwd(), 'build', 'sample', 'src', `${program}.js`)];
}

/** Ends all that a test started, also when it failed half-way. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map(sample => sample.end()));
}

/** Resolves with the first value that `look` finds; rejects after 20 s without one. */
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

/** A port that a test holds. */
export interface TakenPort {
  readonly port: number;
  readonly release: () => Promise<void>;
}

/** Takes a port; 0 is any free one. */
export async function takePort(wanted: number): Promise<TakenPort> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : wanted,
    release: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** Resolves once nobody holds these ports, such as a process of the test before that is dying. */
export async function freePorts(...ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const taken = await eventually(`port ${port}, which these tests need and something holds`, () =>
      takePort(port).catch(() => undefined),
    );
    await taken.release();
  }
}

/** GET with its status and JSON body; status 0 while nobody listens. */
export async function get(
  url: string,
): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const response = await fetch(url);
    return { status: response.status, body: await response.json() };
  } catch {
    return { status: 0, body: undefined };
  }
}
