import { describe, expect, it } from '@jest/globals';
import { ServiceCenterTimeoutError } from '../../../lib/errors.js';
import type { InstanceStatus } from '../../../lib/protocol/wire.js';
import { HealthFollower } from '../../../lib/registration/health-follower.js';
import { CoreHarness } from '../../support/core-harness.js';
import { FakeClock } from '../../support/fake-clock.js';

/** A follower of a health that a test sets, checked every five seconds. */
class Following {
  readonly clock = new FakeClock();
  readonly changes: InstanceStatus[] = [];
  status: InstanceStatus = 'UP';
  isHealthy: () => Promise<boolean> = async () => true;
  refusal: Error | undefined;
  readonly follower = new HealthFollower({
    clock: this.clock,
    everyMs: 5_000,
    isHealthy: () => this.isHealthy(),
    record: this,
  });

  statusChoices = 0;

  /** Sets the status as the application or an operator does. */
  choose(status: InstanceStatus): void {
    this.status = status;
    this.statusChoices += 1;
  }

  async followHealth(status: InstanceStatus): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.status = status;
    this.changes.push(status);
  }

  /** Lets so many checks be made, with this answer. */
  async check(isHealthy: boolean, times: number): Promise<void> {
    this.isHealthy = async () => isHealthy;
    await this.pass(times * 5_000);
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.follower.tick();
      await this.clock.advance(1_000);
    }
  }
}

describe('a status that follows the health', () => {
  it('is OUTOFSERVICE after three failed checks in a row, and what it was after two good ones', async () => {
    const following = new Following();
    following.status = 'TESTING';
    await following.check(false, 2);
    expect(following.changes).toEqual([]);
    await following.check(false, 2);
    expect(following.changes).toEqual(['OUTOFSERVICE']);
    await following.check(true, 1);
    expect(following.changes).toHaveLength(1);
    await following.check(true, 2);
    expect(following.changes).toEqual(['OUTOFSERVICE', 'TESTING']);
  });

  it('does not flap: failed checks that are not in a row change nothing', async () => {
    const following = new Following();
    for (let time = 0; time < 4; time += 1) {
      await following.check(false, 2);
      await following.check(true, 1);
    }
    expect(following.changes).toEqual([]);
  });

  it('takes a rejection, and an answer that takes five seconds, for a failed check', async () => {
    for (const isHealthy of [
      () => Promise.reject(new Error('database')),
      () => new Promise<boolean>(() => undefined),
    ]) {
      const following = new Following();
      following.isHealthy = isHealthy;
      await following.pass(35_000);
      expect(following.changes).toEqual(['OUTOFSERVICE']);
    }
  });

  it('is left alone where somebody else has made it OUTOFSERVICE', async () => {
    const following = new Following();
    following.status = 'OUTOFSERVICE';
    await following.check(false, 4);
    await following.check(true, 4);
    expect(following.changes).toEqual([]);
  });

  it('is tried again with the next check when the registry did not take it', async () => {
    const following = new Following();
    following.refusal = new ServiceCenterTimeoutError('setInstanceStatus', 'http://a:1', 5_000);
    await following.check(false, 5);
    following.refusal = undefined;
    await following.check(false, 1);
    expect(following.changes).toEqual(['OUTOFSERVICE']);
  });

  it('surfaces a bug at the next tick, and goes on', async () => {
    const following = new Following();
    following.refusal = new TypeError('a bug');
    await expect(following.check(false, 5)).rejects.toThrow('a bug');
    following.refusal = undefined;
    await following.check(false, 2);
    expect(following.changes).toEqual(['OUTOFSERVICE']);
  });

  it('never has two checks under way', async () => {
    const following = new Following();
    let underWay = 0;
    let most = 0;
    following.isHealthy = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await following.clock.delay(4_900);
      underWay -= 1;
      return true;
    };
    await following.pass(60_000);
    expect(most).toBe(1);
  });

  it('is checked no more once somebody else has the last word', async () => {
    const following = new Following();
    await following.check(false, 2);
    following.follower.retire();
    await following.check(false, 10);
    expect(following.changes).toEqual([]);
    expect(following.follower.tick()).toBe(Infinity);
    expect(following.clock.sleepers).toBe(0);
  });
});

describe('a status that was chosen', () => {
  it.each(['TESTING', 'DOWN', 'OUTOFSERVICE'] as const)(
    'stands, whatever the health is: %s',
    async status => {
      const following = new Following();
      following.choose(status);
      await following.check(false, 5);
      await following.check(true, 5);
      await following.check(false, 5);
      expect(following.changes).toEqual([]);
    },
  );

  it.each(['OUTOFSERVICE', 'DOWN', 'TESTING'] as const)(
    'while the health has made it OUTOFSERVICE is not set back: %s',
    async status => {
      const following = new Following();
      await following.check(false, 4);
      following.choose(status);
      await following.check(true, 5);
      expect(following.changes).toEqual(['OUTOFSERVICE']);
      expect(following.status).toBe(status);
    },
  );

  it('as UP stands while the health is bad, and follows it again when it was good', async () => {
    const following = new Following();
    await following.check(false, 4);
    following.choose('UP');
    await following.check(false, 5);
    expect(following.changes).toEqual(['OUTOFSERVICE']);
    await following.check(true, 3);
    await following.check(false, 4);
    expect(following.changes).toEqual(['OUTOFSERVICE', 'OUTOFSERVICE']);
  });
});

describe('the status of a registration that follows the health', () => {
  it.each(['the application', 'an operator'])('is left as %s has set it', async who => {
    const harness = new CoreHarness({}, { verifyEvery: 1 });
    const { clock, core } = harness;
    const health = { isGood: true };
    const isHealthy = async () => health.isGood;
    core.addBackgroundWork(
      new HealthFollower({ clock, everyMs: 5_000, isHealthy, record: core.record }),
    );
    await harness.register();
    await harness.run(16_000);
    if (who === 'an operator') harness.stored = { ...harness.stored, status: 'TESTING' };
    else await clock.until(core.record.setStatus('TESTING'));
    await harness.run(20_000);
    health.isGood = false;
    await harness.run(40_000);
    health.isGood = true;
    await harness.run(40_000);
    expect(harness.stored.status).toBe('TESTING');
    expect(harness.names().filter(name => name === 'status.changed')).toHaveLength(1);
  });
});
