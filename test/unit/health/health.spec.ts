import { expect, it } from '@jest/globals';
import { healthOf } from '../../../lib/health/health.js';

it.each([
  ['idle', 'up'],
  ['disabled', 'up'],
  ['registered', 'up'],
  ['degraded', 'degraded'],
  ['at-risk', 'degraded'],
  ['registering', 'down'],
  ['lost', 'down'],
  ['blocked', 'down'],
  ['leaving', 'down'],
  ['left', 'down'],
] as const)('a registration that is %s has the health %s', (state, health) => {
  expect(healthOf({ state })).toBe(health);
});
