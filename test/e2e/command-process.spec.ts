import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect } from '@jest/globals';
import { freePort } from '../support/command-run.js';
import { concurrently } from '../support/concurrently.js';
import { unguarded } from '../support/guarded-app.js';

const program = resolve('build/tree/lib/cli/main.js');

/** Starts the command as a process of its own, whose output is no terminal. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const run = ended.then(([output, errors]) => ({ code: child.exitCode, output, errors }));
  return { child, run };
}

describe('the command as a process', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    concurrently(`removes the probe and ends at ${signal}`, async cleanup => {
      const registry = await unguarded(cleanup);
      registry.faults.delay(200, { operation: 'registerInstance' });
      const { child, run } = start(['doctor', '--address', registry.url]);
      registry.onRequest(({ operation }) => {
        if (operation === 'registerInstance') child.kill(signal);
      });
      expect(await run).toEqual({
        code: 130,
        output: '',
        errors: 'Stopped: the probe was removed\n',
      });
      expect(registry.dump().services).toEqual([]);
    });

  concurrently(
    'prints a report without colours and progress, and ends by itself',
    async cleanup => {
      const registry = await unguarded(cleanup);
      const port = String(await freePort());
      const { run } = start(['doctor', '--address', registry.url, '--port', port]);
      const { code, output, errors } = await run;
      expect(output).toContain('✓ register');
      expect(output).not.toContain('\u001b');
      expect(errors).toBe('');
      expect(code).toBe(0);
    },
  );

  concurrently(
    'waits until the registry knows the new service, and removes the probe',
    async cleanup => {
      const registry = await unguarded(cleanup);
      const unknown = { errorCode: 400_012, errorMessage: 'Micro-service does not exist' };
      registry.faults.answer(400, unknown, { operation: 'registerInstance', times: 1 });
      const { run } = start(['doctor', '--address', registry.url]);
      expect((await run).output).toContain('✓ remove');
      expect(registry.dump().services).toEqual([]);
    },
  );

  concurrently('watches on while nothing changes, and ends with 0 at Ctrl-C', async cleanup => {
    const registry = await unguarded(cleanup);
    const { child, run } = start(['ls', '--watch', '--json', '--address', registry.url]);
    let readings = 0;
    registry.onRequest(({ operation }) => {
      if (operation === 'listMicroservices' && ++readings === 2) child.kill('SIGINT');
    });
    expect(await run).toEqual({ code: 0, output: '{"services":[]}\n', errors: '' });
  });

  concurrently('ends with 2 after a command line that is not valid', async () => {
    const { code, output, errors } = await start(['doctor', '--password', 'secret']).run;
    expect(errors).toMatch(/^--password is refused/);
    expect(output).toBe('');
    expect(code).toBe(2);
  });
});
