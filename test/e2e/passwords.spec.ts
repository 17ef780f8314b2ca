import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect } from '@jest/globals';
import type { AuthOptions } from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import { guarded, impatient, logins, startRefused, withAuth } from '../support/guarded-app.js';
import { createApp, optionsFor } from '../support/test-app.js';

const never = () => new Promise<never>(() => undefined);

describe('an account with a wrong password', () => {
  concurrently('is not tried at the other address when the first one dies', async cleanup => {
    const [first, second] = [await guarded(cleanup), await guarded(cleanup)];
    const options = optionsFor(first.url, {
      serviceCenter: {
        addresses: [first.url, second.url],
        auth: { username: 'root', password: 'another' },
        // A busy machine takes its time for a password, and an address that does not answer is left for the other.
        timeoutMs: 20_000,
      },
    });
    const { registration, events } = await startRefused(cleanup, options);
    await first.stop();
    for (const nth of [2, 3]) {
      void registration.register().catch(() => undefined);
      await events.nth('servicecomb.registration.blocked', nth);
    }
    expect(logins(first)).toBe(1);
    expect(second.requests).toEqual([]);
  });

  concurrently('that changes each time is tried twice', async cleanup => {
    const registry = await guarded(cleanup);
    let times = 0;
    const password = () => `wrong ${(times += 1)}`;
    const options = withAuth(registry.url, { username: 'root', password });
    const { registration, events } = await startRefused(cleanup, options);
    for (const nth of [2, 3, 4]) {
      void registration.register().catch(() => undefined);
      await events.nth('servicecomb.registration.blocked', nth);
    }
    expect(logins(registry)).toBe(2);
  });
});

describe('a password', () => {
  const directory = mkdtempSync(join(tmpdir(), 'passwords-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const fileOf = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  mkdirSync(join(directory, 'folder'));
  const file = (passwordFile: string): AuthOptions => ({ username: 'root', passwordFile });
  const cases = [
    [
      'file that is missing',
      file(join(directory, 'none')),
      `the file "${join(directory, 'none')}" cannot be read: ENOENT`,
    ],
    [
      'file that is empty',
      file(fileOf('empty', '\n')),
      `the file "${join(directory, 'empty')}" is empty`,
    ],
    [
      'file that is a folder',
      file(join(directory, 'folder')),
      `the file "${join(directory, 'folder')}" cannot be read: EISDIR`,
    ],
    [
      'file with two lines',
      file(fileOf('lines', 'one\ntwo\n')),
      `the file "${join(directory, 'lines')}" has a line break or another control character in it`,
    ],
    [
      'that a function returns with a line break',
      { username: 'root', password: () => 'secret\n' },
      'it has a line break or another control character in it',
    ],
    [
      'that is never given',
      { username: 'root', password: never },
      'it returned nothing within 1000 ms',
    ],
  ] as const;
  for (const [what, auth, reason] of cases)
    concurrently(`${what} is told, asked for again, and holds up no shutdown`, async cleanup => {
      const registry = await guarded(cleanup);
      const { app, registration, events } = await createApp(cleanup, impatient(registry.url, auth));
      await app.listen(0, '127.0.0.1');
      const { error } = await events.nth('servicecomb.registration.failed', 2);
      expect(error).toMatchObject({ code: 'ERR_SERVICECOMB_CREDENTIALS', reason });
      expect(registration.snapshot()).toMatchObject({
        state: 'registering',
        lastError: { code: 'ERR_SERVICECOMB_CREDENTIALS', message: error.message },
      });
      expect(events.names()).not.toContain('servicecomb.address.isolated');
      const startedAt = performance.now();
      await app.close();
      expect(performance.now() - startedAt).toBeLessThan(900);
      expect(registry.requests).toEqual([]);
    });
});
