import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect } from '@jest/globals';
import { concurrently } from '../support/concurrently.js';
import { startRegistry } from '../support/test-app.js';

describe('a process without a server', () => {
  const script = resolve('build/tree/test/support/leaving-context.js');
  const run = promisify(execFile);

  concurrently('stays until it has left the registry and drained', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { stdout } = await run(process.execPath, [script, registry.url, 'close']);
    expect(stdout.split('\n')).toEqual(['registered', 'closed', '']);
    expect(registry.instances()).toEqual([]);
  });

  concurrently('stays until it has tried to, when the registry is gone', async cleanup => {
    const registry = await startRegistry(cleanup);
    registry.faults.reset({ operation: 'unregisterInstance' });
    const { stdout } = await run(process.execPath, [script, registry.url, 'close']);
    expect(stdout.split('\n')).toEqual(['registered', 'closed', '']);
  });

  concurrently('is not kept alive by its heartbeat', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { stdout } = await run(process.execPath, [script, registry.url]);
    expect(stdout.split('\n')).toEqual(['registered', '']);
  });
});
