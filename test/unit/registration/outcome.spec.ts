import { expect, it } from '@jest/globals';
import { failureOutcome } from '../../../lib/registration/outcome.js';
import { errors } from './parts.js';

it.each([
  ['network', 'failed'],
  ['timeout', 'failed'],
  ['protocol', 'failed'],
  ['busy', 'failed'],
  ['throttled', 'failed'],
  ['instanceGone', 'instance-gone'],
  ['serviceGone', 'service-gone'],
  ['refused', 'refused'],
] as const)('an error that is %s has the outcome %s', (name, kind) => {
  expect(failureOutcome(errors[name])).toEqual({ kind, error: errors[name] });
});
