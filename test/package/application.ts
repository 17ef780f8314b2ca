import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { freePort } from '../support/command-run.js';
import { type CommandOptions, userEnvironment } from './command.js';
import type { StarterFolder } from './starter.js';

/** What a registry saw of an application that was started and then stopped. */
export interface Seen {
  /** Status of each instance while the application ran. */
  readonly running: readonly string[];
  /** Number of instances after the process had ended. */
  readonly left: number;
  /** Exit code or signal of the process. */
  readonly ended: number | NodeJS.Signals | null;
}

/**
 * Starts an application with a registry of its own, stops it once it is registered, and returns what the
 * registry saw.
 */
export async function startAndStop(
  args: readonly string[],
  { cwd, env = {}, signal = 'SIGTERM' }: CommandOptions & { readonly signal?: NodeJS.Signals },
): Promise<Seen> {
  const registry = new EmbeddedServiceCenter({ port: 0 });
  const { url } = await registry.start();
  const environment = { ...userEnvironment(), PORT: '0', SERVICE_CENTER_ADDRESS: url, ...env };
  const child = spawn(process.execPath, args, { cwd, env: environment });
  const ended = once(child, 'close');
  const printed = outputOf(child);
  try {
    while (registry.instances().length === 0) {
      if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended:\n${printed()}`);
      await delay(20);
    }
    const running = registry.instances().map(({ status }) => status ?? '');
    child.kill(signal);
    const [code, by] = (await ended) as [number | null, NodeJS.Signals | null];
    return { running, left: registry.instances().length, ended: code ?? by };
  } finally {
    child.kill('SIGKILL');
    await registry.stop();
  }
}

/** Runs doctor in the application with a registry of its own, and returns the report. */
export async function examined(folder: StarterFolder): Promise<string> {
  const registry = new EmbeddedServiceCenter({ port: 0 });
  const { url } = await registry.start();
  try {
    const port = String(await freePort());
    return await folder.run(
      ...(['npx', 'nestjs-servicecomb', 'doctor', '--address', url, '--port', port] as const),
    );
  } finally {
    await registry.stop();
  }
}

/** Returns what gives all that a process has printed so far. */
function outputOf(child: ChildProcess): () => string {
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  return () => printed;
}
