import { describe, expect, it } from '@jest/globals';
import type { TokenClock, TokenSource } from '../../../lib/protocol/access-token.js';
import { digestOf, sharedGuard, sharedSource } from '../../../lib/protocol/shared-accounts.js';

class Fake implements TokenClock {
  at = 0;
  readonly now = () => this.at;
  readonly random = () => 0;
}

async function logIn(source: TokenSource): Promise<void> {
  await source.renew(async () => ({ text: 'token', lifeMs: 1_000 }));
}

describe('what registrations of one process share', () => {
  it('is a source of tokens for each address, account and password', () => {
    const clock = new Fake();
    const account = { address: 'http://shared:1', username: 'root', digest: digestOf('a') };
    const source = sharedSource(account, clock);
    void logIn(source);
    expect(sharedSource({ ...account }, clock)).toBe(source);
    for (const other of [
      { ...account, address: 'http://shared:2' },
      { ...account, username: 'other' },
      { ...account, digest: digestOf('b') },
    ])
      expect(sharedSource(other, clock)).not.toBe(source);
  });

  it('does not grow with each password: a source goes with its last token', async () => {
    const clock = new Fake();
    const account = { address: 'http://shared:3', username: 'root' };
    const first = sharedSource({ ...account, digest: '1' }, clock);
    await logIn(first);
    void sharedSource({ ...account, digest: '2' }, clock);
    expect(sharedSource({ ...account, digest: '1' }, clock)).toBe(first);
    clock.at = 1_000;
    void sharedSource({ ...account, digest: '2' }, clock);
    expect(sharedSource({ ...account, digest: '1' }, clock)).not.toBe(first);
  });

  it('is a guard for each address and account, whatever the password', () => {
    const clock = new Fake();
    const account = { address: 'http://shared:4', username: 'root' };
    const guard = sharedGuard(account, clock);
    expect(sharedGuard({ ...account }, clock)).toBe(guard);
    expect(sharedGuard({ ...account, username: 'other' }, clock)).not.toBe(guard);
  });
});
