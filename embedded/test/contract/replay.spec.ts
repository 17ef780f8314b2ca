import { describe, expect, it } from '@jest/globals';
import { Bindings } from './bindings.js';
import { differences, requestOf } from './replay.js';
import type { RecordedStep } from './recording.js';

const revisions = ['a', 'b', 'c'].map(letter => letter.repeat(40)) as [string, string, string];

function compared(
  response: Partial<RecordedStep['response']>,
  answer: { status?: number; headers?: Record<string, string>; json?: unknown; text?: string },
  { bindings = new Bindings(), save = {} } = {},
): string[] {
  const request = { method: 'GET', path: '/' };
  const step = { step: '', request, save, response: { status: 200, headers: {}, ...response } };
  const text = answer.text ?? JSON.stringify(answer.json) ?? '';
  return differences(step, { status: 200, headers: {}, ...answer, text }, bindings);
}

describe('the replay of a recording', () => {
  it.each([
    ['another status', { status: 304 }, {}, 'status: expected 304, got 200'],
    ['another text', { text: 'a' }, { text: 'b' }, 'body: expected "a", got b'],
    ['another value', { json: { a: 1 } }, { json: { a: 2 } }, 'a: expected 1, got 2'],
    ['a missing field', { json: { a: 1, b: 2 } }, { json: { a: 1 } }, '.b: missing'],
    ['an extra field', { json: {} }, { json: { b: 2 } }, '.b: not expected'],
    ['a header', { headers: { allow: 'GET' } }, {}, 'allow: expected text, got undefined'],
    [
      'an extra header',
      {},
      { headers: { 'x-schema-summary': 'a' } },
      'x-schema-summary: not expected, got a',
    ],
    [
      'an extra item',
      { json: { instances: [] } },
      { json: { instances: [1] } },
      'instances: expected 0',
    ],
    [
      'another order',
      { json: { endpoints: [['a', 'b']] } },
      { json: { endpoints: [['b', 'b']] } },
      'endpoints.0.0',
    ],
    [
      'a time',
      { json: { timestamp: '{{timestamp}}' } },
      { json: { timestamp: '1' } },
      'timestamp: expected ten',
    ],
    [
      'a version',
      { json: { version: '1.0.0' } },
      { json: { version: '1.0.1' } },
      'version: expected 1.0.0',
    ],
    [
      'a hash that is none',
      { headers: { 'x-resource-revision': revisions[0] } },
      { headers: { 'x-resource-revision': 'x' } },
      'x-resource-revision: expected a hash',
    ],
  ])('sees %s', (_, response, answer, difference) => {
    expect(compared(response, answer)).toEqual([expect.stringContaining(difference)]);
  });

  it('takes lists of instances and services in any order, item by item', () => {
    const [a, b] = [
      { instanceId: 'a', status: 'UP' },
      { instanceId: 'b', status: 'UP' },
    ];
    const recorded = { json: { instances: [a, b] } };
    expect(compared(recorded, { json: { instances: [b, a] } })).toEqual([]);
    expect(compared(recorded, { json: { instances: [b, { ...a, status: 'DOWN' }] } })).toEqual([
      'instances.0.status: expected UP, got DOWN',
    ]);
  });

  it('binds a saved name and holds later answers to it', () => {
    const bindings = new Bindings();
    const recorded = { json: { serviceId: '{{id}}' } };
    const save = { id: 'serviceId' };
    expect(compared(recorded, { json: { serviceId: 'x' } }, { bindings, save })).toEqual([]);
    expect(compared(recorded, { json: { serviceId: 'y' } }, { bindings })).toHaveLength(1);
    const request = {
      method: 'PUT',
      path: '/{{id}}',
      headers: { A: '{{id}}' },
      body: { b: '{{id}}' },
    };
    expect(
      requestOf({ step: '', request, response: { status: 200, headers: {} } }, bindings),
    ).toEqual({
      method: 'PUT',
      path: '/x',
      headers: { A: 'x' },
      body: '{"b":"x"}',
    });
  });

  it('binds a name anew where it is saved again', () => {
    const bindings = new Bindings();
    const recorded = { json: { instanceId: '{{id}}' } };
    const save = { id: 'instanceId' };
    const told = (instanceId: string, saved: Readonly<Record<string, string>>) =>
      compared(recorded, { json: { instanceId } }, { bindings, save: saved }).length;
    expect([told('x', save), told('y', save), told('y', {}), told('x', {})]).toEqual([0, 0, 0, 1]);
  });

  it('saves a value under its name where the recorded answer shows it by another', () => {
    const bindings = new Bindings();
    const [recorded, save] = [{ json: { token: '{{t}}' } }, { own: 'token' }];
    expect(compared(recorded, { json: { token: 'x' } }, { bindings, save })).toEqual([]);
    expect(compared(recorded, { json: { token: 'y' } }, { bindings, save })).toEqual([]);
    expect(bindings.fill('{{own}} {{t}}')).toBe('y y');
  });

  it('takes the seconds of accounts, roles and locks as they are', () => {
    const recorded = { json: { createTime: '1795309274', releaseAt: 1795310474 } };
    expect(compared(recorded, { json: { createTime: '1', releaseAt: 1_700_000_000 } })).toEqual([
      expect.stringContaining('createTime: 1 is not'),
    ]);
  });

  it('keeps a name where the answer has no value for it', () => {
    const bindings = new Bindings();
    const save = { id: 'instanceId' };
    compared({ json: { instanceId: '{{id}}' } }, { json: { instanceId: 'x' } }, { bindings, save });
    expect(compared({ json: {} }, { json: {} }, { bindings, save })).toEqual([]);
    expect(bindings.fill('{{id}}')).toBe('x');
  });

  it('misses a value that should have been saved', () => {
    expect(compared({}, {}, { save: { id: 'serviceId' } })).toEqual(['nothing to save as id']);
  });

  it('holds equal revisions equal and different ones different', () => {
    const [a, b, c] = revisions;
    const bindings = new Bindings();
    const told = (recorded: string, actual: string) =>
      compared(
        { headers: { 'x-resource-revision': recorded } },
        { headers: { 'x-resource-revision': actual } },
        { bindings },
      ).length;
    expect([told(a, b), told(a, b), told(a, c), told(b, b), told(b, a)]).toEqual([0, 0, 1, 1, 0]);
  });

  it('takes the Service Center’s own host, port and version as they are', () => {
    const own = {
      serviceId: '7062417bf9ebd4c646bb23059003cea42180894a',
      instanceId: 'c8f513410ea64cd698fab21075ad22ce',
      endpoints: ['rest://127.0.0.1:30500/'],
      hostName: 'vm',
    };
    const here = { ...own, instanceId: 'd'.repeat(32), endpoints: ['rest://h:1/'], hostName: 'h' };
    const recorded = { json: { instances: [own] } };
    expect(compared(recorded, { json: { instances: [here] } })).toEqual([]);
    const wrong = { ...here, endpoints: ['http://h:1'] };
    expect(compared(recorded, { json: { instances: [wrong] } })).toHaveLength(1);
  });
});
