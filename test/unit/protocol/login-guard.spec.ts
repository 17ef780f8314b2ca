import { describe, expect, it } from '@jest/globals';
import { ServiceCenterResponseError } from '../../../lib/errors.js';
import { LoginGuard } from '../../../lib/protocol/login-guard.js';

const address = 'http://a:1';
const minute = 60_000;
const error = new ServiceCenterResponseError('login', address, { status: 401, errorCode: 401_202 });

class Guarding {
  now = 1_000;
  readonly guard = new LoginGuard(() => this.now);

  refuse(digest: string): void {
    this.guard.refuse({ address, digest, error });
  }

  /** The passwords that may be tried. */
  allowed(...digests: readonly string[]): readonly string[] {
    return digests.filter(digest => this.guard.forbidding(digest) === undefined);
  }
}

describe('a guard of logins', () => {
  it('forbids nothing before a refusal', () => {
    expect(new Guarding().allowed('a', 'b')).toEqual(['a', 'b']);
  });

  it('forbids a refused password for 15 minutes, and says since when and why', () => {
    const guarding = new Guarding();
    guarding.refuse('a');
    guarding.now += 15 * minute - 1;
    expect(guarding.guard.forbidding('a')).toEqual({
      address,
      digest: 'a',
      error,
      until: guarding.now + 1,
    });
    guarding.now += 1;
    expect(guarding.allowed('a')).toEqual(['a']);
  });

  it('lets another password be tried at once, and after its refusal none', () => {
    const guarding = new Guarding();
    guarding.refuse('a');
    expect(guarding.allowed('a', 'b')).toEqual(['b']);
    guarding.refuse('b');
    expect(guarding.allowed('a', 'b', 'c')).toEqual([]);
    guarding.now += 15 * minute;
    expect(guarding.allowed('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
  });

  it('makes no third failure that the server has not forgiven, whatever is tried when', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const guarding = new Guarding();
      let state = seed;
      const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
      // The server's own count: two at once, one more every 15 minutes.
      let taken = 2;
      let countedAt = guarding.now;
      for (let step = 0; step < 500; step += 1) {
        guarding.now += random() * 10 * minute;
        const digest = `password ${Math.floor(random() * 3)}`;
        if (guarding.allowed(digest).length === 0) continue;
        taken = Math.min(2, taken + (guarding.now - countedAt) / (15 * minute)) - 1;
        countedAt = guarding.now;
        expect(taken).toBeGreaterThanOrEqual(-1e-9);
        guarding.refuse(digest);
      }
    }
  });
});
