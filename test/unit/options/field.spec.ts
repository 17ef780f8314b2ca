import { describe, expect, it } from '@jest/globals';

import { issuesOf } from './resolving.js';

describe('an issue', () => {
  it.each([
    ['two\nlines', '"two\\nlines"'],
    ['a\u0085b\u2028c\u202ed', '"a\\u0085b\\u2028c\\u202ed"'],
    ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
    ['http://a:b@c/d', '"http://***@c/d"'],
    ['a:b@c', '"***@c"'],
    ['@acme/orders', '"@acme/orders"'],
    ['me@home', '"me@home"'],
    [7, '7'],
    [-0.5, '-0.5'],
    [7n, '7n'],
    [10n ** 100n, `1${'0'.repeat(79)}…`],
    [null, 'null'],
    [Symbol('secret'), 'a symbol'],
    [() => 'secret', 'a function'],
    [[], 'an empty array'],
    [['secret'], 'an array'],
    [{ a: 'secret' }, 'an object'],
    [new Date(0), '[object Date]'],
    [{ [Symbol.toStringTag]: 'two\nlines' }, '[object two\\u000alines]'],
    [{ [Symbol.toStringTag]: 'x'.repeat(99) }, `[object ${'x'.repeat(72)}…`],
  ])('shows %p as %s', (value, shown) => {
    expect(issuesOf({ enabled: value })).toEqual([`enabled must be true or false, got ${shown}`]);
  });
});

describe('an unknown option', () => {
  const heartbeatOptions = 'valid options are intervalMs, times, jitter, verifyEvery';

  it.each([
    ['interval', heartbeatOptions],
    ['INTERVALMS', heartbeatOptions],
    ['serviceName', 'did you mean microservice.serviceName?'],
    ['drainMs', 'did you mean shutdown.drainMs?'],
    // In two groups.
    ['properties', heartbeatOptions],
    ['constructor', heartbeatOptions],
  ])('named %s comes with what may be written: %s', (name, hint) => {
    expect(issuesOf({ heartbeat: { [name]: 1 } })).toEqual([
      `heartbeat.${name} is not an option; ${hint}`,
    ]);
  });

  it.each([
    [
      { serviceName: 'orders' },
      'serviceName is not an option; did you mean microservice.serviceName?',
    ],
    [{ heartbeat: { '': 1 } }, `heartbeat[""] is not an option; ${heartbeatOptions}`],
    [
      { registration: { retry: { attempts: 3 } } },
      'registration.retry.attempts is not an option; valid options are initialMs, maxMs, factor',
    ],
  ])('is named by its path: %j', (options, issue) => {
    expect(issuesOf(options)).toEqual([issue]);
  });
});
