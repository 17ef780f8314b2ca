import { describe, expect } from '@jest/globals';
import { version } from '../../lib/version.js';
import { freePort, runCommandLine } from '../support/command-run.js';
import { concurrently } from '../support/concurrently.js';
import { unguarded } from '../support/guarded-app.js';

describe('the command', () => {
  concurrently('prints its usage and its version', async () => {
    expect((await runCommandLine(['--help'])).output).toMatch(/^Usage: nestjs-servicecomb doctor/);
    expect(await runCommandLine(['--version'])).toMatchObject({ code: 0, output: version });
  });

  concurrently('ends with 2 where an option is wrong, by the name of its flag', async () => {
    const flags = ['--address', 'http://root:secret@host', '--ca-file', '/nowhere'];
    const run = await runCommandLine(['doctor', ...flags]);
    expect(run.errors.split('\n').slice(0, 2)).toEqual([
      '--address must not contain a user or a password, got "http://***@host"',
      '--ca-file cannot be read: ENOENT',
    ]);
    expect(run.code).toBe(2);
  });

  concurrently('reads the address from the variable that applications read', async cleanup => {
    const { url } = await unguarded(cleanup);
    const env = { SERVICE_CENTER_ADDRESS: url };
    expect(await runCommandLine(['ls'], { env })).toMatchObject({ code: 0 });
  });

  concurrently('warns of what an application would warn of at its start', async cleanup => {
    const { url } = await unguarded(cleanup);
    const env = { SERVICECOMB_ENABLED: 'false', PORT: String(await freePort()) };
    const { output } = await runCommandLine(['doctor', '--address', url], { env });
    expect(output).toMatch(/! at the start +The module is switched off here/);
  });
});
