import { describe, expect, it } from '@jest/globals';

import { profileNames, profiles, profileWarnings } from '../../../lib/options/profiles.js';
import { issuesOf, resolve } from './resolving.js';

const tenant = { serviceCenter: { project: 'p', domain: 'd' } };

describe('a profile', () => {
  it('is open-source unless another one is named', () => {
    expect(resolve({})).toEqual(resolve({ profile: 'open-source' }));
    expect(profileNames).toEqual(Object.keys(profiles));
  });

  it.each([
    ['open-source', 15_000, false],
    ['cse-exclusive', 20_000, true],
    ['cse-professional', 30_000, true],
    ['cse-legacy', 30_000, true],
  ])('%s has an interval of %i ms', (profile, intervalMs, neverEarly) => {
    const { heartbeat, ...others } = resolve({ profile, ...tenant });
    expect(heartbeat).toEqual({
      ...resolve({}).heartbeat,
      intervalMs,
      neverEarly,
    });
    expect(others).toMatchObject({ profile, serviceCenter: tenant.serviceCenter });
  });

  it.each(profileNames)('%s leaves a written interval as it is', profile => {
    const heartbeat = { intervalMs: 7_000, jitter: 0 };
    expect(resolve({ profile, ...tenant, heartbeat }).heartbeat).toMatchObject(heartbeat);
  });

  it.each(['open-source', 'cse-exclusive', 'cse-professional'] as const)(
    '%s uses the project default',
    profile => {
      expect(resolve({ profile }).serviceCenter).toMatchObject({
        project: 'default',
        domain: undefined,
      });
    },
  );

  it('cse-legacy has no project and no domain of its own', () => {
    const missing = (name: string) =>
      `serviceCenter.${name} must be set: profile "cse-legacy" has no default for it`;
    const profile = 'cse-legacy';
    expect(issuesOf({ profile })).toEqual([missing('project'), missing('domain')]);
    expect(issuesOf({ profile, serviceCenter: { project: 'p' } })).toEqual([missing('domain')]);
    expect(issuesOf({ profile, serviceCenter: { domain: 'd' } })).toEqual([missing('project')]);
    expect(issuesOf({ profile, ...tenant })).toEqual([]);
  });

  it('is told once when one of its options is wrong', () => {
    const serviceCenter = { project: '', domain: '' };
    expect(issuesOf({ profile: 'cse-legacy', serviceCenter })).toHaveLength(2);
  });

  it.each(['cse', '', 7, null])('is none by the name of %p', profile => {
    expect(issuesOf({ profile })).toEqual([
      'profile must be one of "open-source", "cse-exclusive", "cse-professional", "cse-legacy", ' +
        `got ${JSON.stringify(profile)}`,
    ]);
  });
});

describe('a profile warns', () => {
  const limit = 'between two heartbeats of an instance at';

  it.each([
    [
      'open-source',
      4_000,
      'Service Center counts less than 5000 as 5000, so the lease is longer than requested',
    ],
    ['cse-exclusive', 19_000, `Huawei Cloud requires at least 20000 ${limit} an exclusive engine`],
    ['cse-exclusive', 1_000, `Huawei Cloud requires at least 20000 ${limit} an exclusive engine`],
    [
      'cse-professional',
      29_000,
      `Huawei Cloud requires at least 30000 ${limit} a professional engine`,
    ],
    ['cse-legacy', 29_000, `Huawei Cloud requires at least 30000 ${limit} the older API`],
  ])('once at %s of an interval of %i ms', (profile, intervalMs, why) => {
    const serviceCenter = profile === 'cse-legacy' ? tenant.serviceCenter : undefined;
    const options = resolve({ profile, serviceCenter, heartbeat: { intervalMs } });
    const remedy = `set it to ${profiles[options.profile].leastIntervalMs} or more`;
    expect(profileWarnings(options)).toEqual([
      `heartbeat.intervalMs is ${intervalMs}: ${why}; ${remedy}`,
    ]);
  });

  it.each(profileNames)('of nothing at %s when its defaults are kept, or more', profile => {
    const serviceCenter = { project: 'default', domain: 'd' };
    const { leastIntervalMs } = profiles[profile];
    for (const intervalMs of [undefined, leastIntervalMs, 600_000])
      expect(
        profileWarnings(resolve({ profile, serviceCenter, heartbeat: { intervalMs } })),
      ).toEqual([]);
  });

  it('of a project at an exclusive engine, which has only one', () => {
    const options = resolve({ profile: 'cse-exclusive', serviceCenter: { project: 'p' } });
    expect(profileWarnings(options)).toEqual([
      'serviceCenter.project is "p": the project of an exclusive engine is always "default"; set it to that',
    ]);
  });
});
