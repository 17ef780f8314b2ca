import { describe, expect, it } from '@jest/globals';
import { readFault } from '../../../lib/page/fault-body.js';
import { Faults } from '../../../lib/server/faults.js';
import { idleTarget } from '../../support/fault-target.js';

/** Returns the fault that a body switches on, or what is wrong with the body. */
function start(body: unknown): unknown {
  const faults = new Faults(idleTarget);
  const asked = readFault(body);
  if (asked.kind === 'bad') return asked.issues;
  asked.start(faults, Promise.resolve());
  return faults.list()[0];
}

describe('the body of a fault', () => {
  it.each([
    [{ kind: 'hang' }, {}],
    [{ kind: 'delay', ms: 0 }, { ms: 0 }],
    [{ kind: 'reset' }, {}],
    [
      { kind: 'answer', status: 503 },
      { status: 503, body: '' },
    ],
    [{ kind: 'trickle' }, { everyMs: 100, chunkBytes: 1 }],
    [
      { kind: 'trickle', everyMs: 5, chunkBytes: 10 },
      { everyMs: 5, chunkBytes: 10 },
    ],
    [{ kind: 'garbage' }, { insteadOf: 'http' }],
    [{ kind: 'garbage', insteadOf: 'json', base64: 'AAE=' }, { insteadOf: 'json' }],
    [{ kind: 'swallow-renewals' }, {}],
    [{ kind: 'skew-clock', ms: -5000 }, { ms: -5000 }],
    [{ kind: 'refuse', ms: 1 }, { ms: 1 }],
    [{ kind: 'mute-watchers' }, { watchers: 0 }],
    [{ kind: 'swallow-frames' }, {}],
    [{ kind: 'delay-frames', ms: 2000 }, { ms: 2000 }],
    [{ kind: 'double-frames' }, {}],
  ])('%j puts on a fault of its kind', (body, settings) => {
    expect(start(body)).toMatchObject({ kind: body.kind, settings, hits: 0 });
  });

  it('may say which requests are hit', () => {
    const match = { operation: 'heartbeat', method: 'PUT', path: 'own$', times: 2, when: 'after' };
    expect(start({ kind: 'hang', match })).toMatchObject({ match: { ...match, path: /own$/ } });
  });

  it('may say which frames are hit', () => {
    const ids = { serviceName: 'orders', instanceId: 'own', consumerId: 'shop' };
    const match = { action: 'DELETE', ...ids, times: 2 };
    expect(start({ kind: 'swallow-frames', match })).toMatchObject({ match });
    expect(start({ kind: 'swallow-frames', match: { action: 'EXPIRE', path: 'x' } })).toEqual([
      'match.action must be one of CREATE, UPDATE, DELETE',
      'match.path is not a known field',
    ]);
  });

  it('lists every issue at once', () => {
    const match = { operation: 'heartbea', path: '(', times: 0, when: 'now', extra: 1 };
    const issues = start({
      kind: 'answer',
      status: '503',
      body: 7,
      headers: { 'a b': 'x' },
      match,
      ms: 1,
    });
    expect(issues).toEqual([
      'status must be a whole number from 200 to 599',
      'body must be a text or an object',
      expect.stringMatching(/^headers .*"a b"/),
      expect.stringMatching(/^match\.operation must be one of .*getVersion, /),
      expect.stringMatching(/^match\.path Invalid regular expression/),
      'match.times must be a whole number from 1 to 1000000',
      'match.when must be one of before, after',
      'match.extra is not a known field',
      'ms is not a known field',
    ]);
  });

  it.each([undefined, null, 7, 'hang', [], true])('is refused when it is %j', body => {
    expect(start(body)).toContain('the body must be an object');
  });

  it.each([
    [{}, /^kind must be one of hang, delay/],
    [{ kind: 'toString' }, /^kind must be one of hang, delay/],
    [{ kind: 'delay' }, /^ms must be a whole number from 0/],
    [{ kind: 'delay', ms: 1.5 }, /^ms must be/],
    [{ kind: 'refuse' }, /^ms must be a whole number from 1/],
    [{ kind: 'trickle', match: { when: 'after' } }, /^match.when is not a known field/],
    [{ kind: 'skew-clock', ms: 1, match: {} }, /^match is not a known field/],
    [{ kind: 'hang', match: 'heartbeat' }, /^match must be an object/],
    [{ kind: 'garbage', text: 'a', base64: 'b' }, /exclude each other/],
    [{ kind: 'garbage', text: 7 }, /^text must be a text/],
    [{ kind: 'answer', status: 200, headers: { a: 'x\ny' } }, /^headers /],
    [{ kind: 'answer', status: 200, headers: [] }, /^headers must be an object of texts/],
    [{ kind: 'answer', status: 200, contentType: 7 }, /^contentType must be a text/],
    [{ kind: 'hang', match: { path: 7 } }, /^match.path must be the text of/],
    [
      { kind: 'answer', status: 200, headers: { trailer: 'x' } },
      /^headers must not have a Trailer/,
    ],
    [
      { kind: 'answer', status: 500, body: { errorCode: {} } },
      /^body must have a number or a text/,
    ],
    [{ kind: 'answer', status: 500, body: { errorCode: null } }, /^body must have a number/],
  ])('is refused in one sentence: %j', (body, sentence) => {
    expect(start(body)).toEqual([expect.stringMatching(sentence)]);
  });

  it('is refused with an expression of more than 1,000 characters', () => {
    const issues = start({ kind: 'hang', match: { path: '('.repeat(20_000) } });
    expect(issues).toEqual(['match.path must have at most 1000 characters']);
  });

  it.each([101, 5000])('is refused with an answer that is nested %i levels deep', levels => {
    const issues = ['body must be nested at most 100 levels deep'];
    const objects = nested(levels, '{"a":', '}');
    expect(start({ kind: 'answer', status: 500, body: objects })).toEqual(issues);
    const lists = { a: nested(levels - 1, '[', ']') };
    expect(start({ kind: 'answer', status: 500, body: lists })).toEqual(issues);
  });

  it('may have an answer that is nested 100 levels deep', () => {
    const body = nested(100, '{"a":', '}');
    expect(start({ kind: 'answer', status: 500, body })).toMatchObject({ settings: { body } });
  });
});

/** Returns containers within containers, the innermost empty. */
function nested(levels: number, open: string, close: string): object {
  const inner = `${open.charAt(0)}${close}`;
  const more = levels - 1;
  return Object(JSON.parse(`${open.repeat(more)}${inner}${close.repeat(more)}`));
}
