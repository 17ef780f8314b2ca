import { describe, expect, it } from '@jest/globals';

import { defaults } from '../../../lib/options/defaults.js';
import { optionDefaults } from '../../support/option-defaults.js';

describe('defaults', () => {
  it('are listed by their paths, a group by its options', () => {
    const listed = new Map(optionDefaults().map(({ path, value }) => [path, value]));
    expect([...listed.keys()].filter(path => path.startsWith('registration'))).toEqual([
      'registration.when',
      'registration.failFast',
      'registration.retry.initialMs',
      'registration.retry.maxMs',
      'registration.retry.factor',
    ]);
    expect(listed.get('heartbeat.intervalMs')).toBe(15_000);
  });

  it.each([
    ['serviceCenter.addresses', defaults.serviceCenter.addresses],
    ['microservice.tags', {}],
    ['instance.dataCenter', undefined],
    ['enabled', true],
  ])('list %s as one option', (path, value) => {
    expect(optionDefaults()).toContainEqual({ path, value });
  });
});
