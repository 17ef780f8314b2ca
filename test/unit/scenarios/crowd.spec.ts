import { describe, expect, it } from '@jest/globals';
import { rushAfter } from '../../support/crowd.js';

describe('a crowd of 200 whose registry restarts', () => {
  it.each([
    { awayMs: 5_000, forgets: true },
    { awayMs: 65_000, forgets: false },
  ])(
    'T12 comes back at twice its steady rate at most (away $awayMs ms, forgets: $forgets)',
    async fault => {
      const { registrations, heartbeatsLater, processes } = await rushAfter({
        ...fault,
        seed: 1,
        size: 200,
      });
      // So few scatter by a fourth: 5,000 keep to 2.0, see crowd.slow.ts.
      expect(registrations).toBeLessThanOrEqual(2.5);
      expect(heartbeatsLater).toBeLessThanOrEqual(2.5);
      expect(new Set(processes.map(({ core }) => core.state))).toEqual(new Set(['registered']));
    },
  );
});
