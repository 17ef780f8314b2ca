import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('server.js', import.meta.url));

/** A server in a process of its own. */
export class ServerProcess {
  #child;
  #port;

  /** @param kind `embedded` or `bare` */
  static async start(kind) {
    const server = new ServerProcess();
    server.#child = fork(program, [kind]);
    const [{ port }] = await once(server.#child, 'message');
    server.#port = port;
    return server;
  }

  get port() {
    return this.#port;
  }

  /** CPU time since its start in milliseconds, and its resident memory in bytes. */
  async usage() {
    this.#child.send('usage');
    const [usage] = await once(this.#child, 'message');
    return usage;
  }

  async stop() {
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}
