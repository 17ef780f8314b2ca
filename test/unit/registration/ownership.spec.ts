import { describe, expect, it } from '@jest/globals';
import { isElsewhere, isMisplaced, isTakenOver } from '../../../lib/registration/ownership.js';
import { recordOf } from './parts.js';

const desired = recordOf().instance;
const other = { ...desired, endpoints: ['rest://10.0.0.8:3000'] };
const at = (timestamp: string, instance: object = desired) => ({
  ...desired,
  ...instance,
  timestamp,
});

describe('a stored record', () => {
  it.each([
    ['it is the same', {}, false],
    ['only the status differs', { status: 'DOWN' as const }, false],
    ['another endpoint is listed', { endpoints: ['rest://10.0.0.8:3000'] }, true],
    ['an endpoint more', { endpoints: [...(desired.endpoints ?? []), 'rest://b:1'] }, true],
    ['no endpoint', { endpoints: undefined }, true],
    ['another host', { hostName: 'other' }, true],
  ])('leads consumers elsewhere when %s: %p', (_, change, isElse) => {
    expect(isElsewhere({ ...desired, ...change }, desired)).toBe(isElse);
  });

  it('may list the endpoints in another order, and leave out an empty list', () => {
    const stored = { hostName: 'host', endpoints: ['rest://a:1', 'rest://b:2'] };
    const sought = { hostName: 'host', endpoints: ['rest://b:2', 'rest://a:1'] };
    expect(isElsewhere(stored, sought)).toBe(false);
    expect(isElsewhere({ hostName: 'host' }, { hostName: 'host', endpoints: [] })).toBe(false);
  });

  const cut = { ...desired, hostName: 'ho', endpoints: ['rest://10.0.0.7'] };

  it('is in its place as the registry has written it before, until we ask for another place', () => {
    const own = { asked: desired, stored: cut };
    expect(isMisplaced(cut, desired, undefined)).toBe(true);
    expect(isMisplaced(cut, desired, own)).toBe(false);
    expect(isMisplaced(desired, desired, own)).toBe(false);
    expect(isMisplaced(cut, other, own)).toBe(true);
    expect(isMisplaced(other, desired, own)).toBe(true);
  });
});

describe('whose a record is', () => {
  const own = { asked: desired, stored: at('100') };

  it.each([
    ['is not known before a registration of ours was read', at('200', other), undefined, false],
    ['is ours when nothing has changed', at('100'), own, false],
    ['is ours when only its values have changed', at('100', { status: 'DOWN' }), own, false],
    ['is another process’s when it was registered later elsewhere', at('101', other), own, true],
    ['… later at the same place', at('101'), own, true],
    ['… in the same second elsewhere', at('100', other), own, true],
    ['is nobody’s when it is older: it was restored', at('99', other), own, false],
    ['is not known without a time', { ...other, timestamp: undefined }, own, false],
    [
      'is not known without a time of ours',
      at('200', other),
      { asked: desired, stored: desired },
      false,
    ],
  ])('%s', (_, stored, registration, isOther) => {
    expect(isTakenOver(stored, registration)).toBe(isOther);
  });

  it.each([
    ['ours when it leads where we posted it', at('160'), desired, false],
    ['ours when it leads where we now want to be', at('160', other), other, false],
    ['ours when it is still our former one', at('100'), other, false],
    ['another process’s when it leads elsewhere', at('160', other), desired, true],
  ])('after a POST is %s', (_, stored, posted, isOther) => {
    expect(isTakenOver(stored, own, posted)).toBe(isOther);
  });
});
