import { describe, expect, it } from '@jest/globals';

import { suggestion } from '../../../lib/options/suggestion.js';

const siblings = ['heartbeat.intervalMs', 'heartbeat.times', 'heartbeat.jitter'];

describe('suggestion', () => {
  it.each([
    ['interval', 'heartbeat.intervalMs'],
    ['intervalMillis', undefined],
    ['intervalms', 'heartbeat.intervalMs'],
    ['intervallMs', 'heartbeat.intervalMs'],
    ['tims', 'heartbeat.times'],
    ['jittre', 'heartbeat.jitter'],
    ['jotter', 'heartbeat.jitter'],
    ['heartbeatTimes', 'heartbeat.times'],
    ['ms', undefined],
    ['', undefined],
    ['serviceName', 'microservice.serviceName'],
    ['drainms', 'shutdown.drainMs'],
    ['properties', undefined],
    ['name', undefined],
    ['constructor', undefined],
  ])('for %j is %j', (name, path) => {
    expect(suggestion(name, siblings)).toBe(path);
  });
});
