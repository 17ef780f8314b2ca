import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import { login } from '../../../lib/credentials/login.js';
import { isServiceCombError } from '../../../lib/errors.js';
import { CoreHarness } from '../../support/core-harness.js';
import {
  channelOf,
  clientOf,
  failing,
  type FakeAnswer,
  type FakeReply,
  FakeSend,
} from '../../support/fake-send.js';
import { operations } from './operations.js';

const keys = fc.constantFrom(
  '__proto__',
  'constructor',
  'serviceId',
  'instanceId',
  'instance',
  'instances',
  'services',
  'healthCheck',
  'interval',
  'endpoints',
  'properties',
  'status',
  'errorCode',
  'errorMessage',
  'detail',
);
const leaves = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('..', '.', '400017', '400012', '500011', 'UP', '\u2028', '\u202e', '\n'),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const json = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaves,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const texts = fc.oneof(
  json.map(value => JSON.stringify(value)),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'Success', '<html>', '{', '['.repeat(100_000), 'null'),
);
const headers = fc.dictionary(
  fc.constantFrom('retry-after', 'date', 'location', 'x-resource-revision', '__proto__'),
  fc.string(),
);
const replies: fc.Arbitrary<FakeReply> = fc.record({
  status: fc.oneof(
    fc.constantFrom(200, 201, 304, 302, 400, 401, 403, 404, 429, 500, 503),
    fc.integer({ min: 100, max: 999 }),
  ),
  headers,
  body: texts,
});

describe('whatever a registry answers', () => {
  it.each(operations)('$name ends with a value or an error of ours', async ({ ask }) => {
    await fc.assert(
      fc.asyncProperty(replies, async reply => {
        const client = clientOf(new FakeSend(reply).send);
        await ask(client).catch((error: unknown) => {
          expect(isServiceCombError(error)).toBe(true);
          expect(String(error)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('a login ends with a token that lives for a while, or with an error of ours', async () => {
    const ends = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom('1e999', '-1e999', '"soon"', '{}'),
    );
    const claimed = ends.map(exp => `h.${Buffer.from(`{"exp":${exp}}`).toString('base64url')}.s`);
    const token = fc.oneof(claimed, json).map(each => JSON.stringify({ token: each }));
    const dates = fc.oneof(
      fc.string(),
      fc.constantFrom('0', '-1', 'Sun, 22 Nov 2026 07:00:00 GMT'),
    );
    const given = fc.record({ headers: fc.record({ date: dates }), body: token });
    await fc.assert(
      fc.asyncProperty(fc.oneof(given, replies), async reply => {
        try {
          const channel = channelOf(new FakeSend(reply).send);
          const { lifeMs } = await channel.call(login({ username: 'a', password: 'b' }));
          expect(lifeMs).toBeGreaterThan(0);
          expect(() => new Date(Date.now() + lifeMs).toISOString()).not.toThrow();
        } catch (error) {
          if (!isServiceCombError(error)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('an answer of a part of the truth ends so too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...operations), keys, json, async (known, key, value) => {
        const body = { ...Object(known.answer), [key]: value };
        await known.ask(clientOf(new FakeSend({ body }).send)).catch((error: unknown) => {
          expect(isServiceCombError(error)).toBe(true);
        });
      }),
      { numRuns: 250 },
    );
  });

  it('heartbeats go on, and the instance is registered once answers are good again', async () => {
    const failures = fc.constantFrom('ECONNRESET', 'HPE_INVALID_CONSTANT', 'EPROTO').map(failing);
    const answer: fc.Arbitrary<FakeAnswer> = fc.oneof(replies, failures);
    const which = fc.constantFrom('existence', 'service', 'post', 'read', 'heartbeat');
    const wrong = fc.array(fc.tuple(which, answer), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(wrong, fc.boolean(), async (answers, isRegistered) => {
        const harness = new CoreHarness();
        if (isRegistered) await harness.register();
        else harness.core.register().catch(() => undefined);
        harness.answers = Object.fromEntries(answers);
        await harness.run(90_000);
        harness.answers = {};
        const before = harness.count('heartbeat');
        await harness.run(600_000);
        expect(harness.core.state).toBe('registered');
        expect(harness.count('heartbeat')).toBeGreaterThan(before + 5);
      }),
      { numRuns: 12 },
    );
  }, 30_000);
});
