import { describe, expect, it } from '@jest/globals';
import { rushAfter } from '../../support/crowd.js';

const faults = [
  { awayMs: 5_000, forgets: true },
  { awayMs: 30_000, forgets: false },
  { awayMs: 65_000, forgets: false },
];

describe('a crowd of 5,000 whose registry restarts', () => {
  it.each(faults)(
    'comes back at twice its steady rate at most (away $awayMs ms, forgets: $forgets)',
    async fault => {
      const { registrations, heartbeatsLater, processes } = await rushAfter({
        ...fault,
        seed: 1,
        size: 5_000,
      });
      expect(registrations).toBeLessThanOrEqual(2);
      expect(heartbeatsLater).toBeLessThanOrEqual(2);
      expect(new Set(processes.map(({ core }) => core.state))).toEqual(new Set(['registered']));
    },
  );
});
