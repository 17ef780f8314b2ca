import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('registry-program.js', import.meta.url));

/** An embedded Service Center in a process of its own. */
export class RegistryProcess {
  readonly #child: ChildProcess;
  #output = '';

  private constructor(
    child: ChildProcess,
    readonly url: string,
  ) {
    this.#child = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
    });
  }

  static async start(): Promise<RegistryProcess> {
    const child = fork(program, {
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    return new RegistryProcess(child, url);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Returns the output before it died, if it did; its end may be noticed a moment late. */
  async lastWords(): Promise<string> {
    await Promise.race([once(this.#child, 'close'), setTimeout(500)]);
    return this.#child.exitCode === null ? '' : `; the registry died: ${this.#output}`;
  }

  /** Returns the names of the resources that keep it alive. */
  async handles(): Promise<readonly string[]> {
    this.#child.send('handles');
    const [{ handles }] = (await once(this.#child, 'message')) as [{ handles: string[] }];
    return handles;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}
