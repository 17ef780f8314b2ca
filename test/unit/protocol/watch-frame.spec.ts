import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readWatchFrame } from '../../../lib/protocol/watch-frame.js';
import { fc } from '../../support/fast-check.js';

interface Recorded {
  readonly direction: string;
  readonly type: string;
  readonly payload: { readonly text?: string; readonly json?: { readonly key: object } };
}

/** The text frames that a real Service Center sent. */
function recordedFrames(): readonly Recorded['payload'][] {
  const file = 'embedded/test/contract/recordings/watch.json';
  const { scenarios }: { readonly scenarios: readonly { readonly frames: readonly Recorded[] }[] } =
    JSON.parse(readFileSync(file, 'utf8'));
  return scenarios
    .flatMap(({ frames }) => frames)
    .filter(({ direction, type }) => direction === 'received' && type === 'text')
    .map(({ payload }) => payload);
}

describe('a frame of the watcher', () => {
  it('of a real Service Center names the provider, or says that it does not know who watches', () => {
    const frames = recordedFrames();
    expect(frames.length).toBeGreaterThan(10);
    for (const { json, text } of frames) {
      const frame = readWatchFrame(text ?? JSON.stringify(json));
      if (json === undefined) expect(frame).toBe('consumer-gone');
      else expect(frame).toMatchObject({ provider: { appId: 'default' } });
      if (typeof frame === 'object') expect(json?.key).toMatchObject(present(frame.provider));
    }
    expect(frames.some(({ text }) => text !== undefined)).toBe(true);
  });

  it('has the environment and the alias of the provider', () => {
    const key = { environment: 'testing', appId: 'a', serviceName: 'orders', alias: 'o' };
    expect(readWatchFrame(JSON.stringify({ action: 'UPDATE', key }))).toEqual({ provider: key });
  });

  it('of an unknown action, or without an instance, names the provider, too', () => {
    const text = JSON.stringify({ action: 'EXPIRE', key: { serviceName: 'orders' } });
    expect(readWatchFrame(text)).toEqual({
      provider: { environment: '', appId: '', serviceName: 'orders', alias: undefined },
    });
  });

  it.each(['', '{}', '[]', 'null', '<html>', '{"key":{}}', '{"key":{"serviceName":1}}'])(
    'is unreadable: %s',
    text => {
      expect(readWatchFrame(text)).toBe('unreadable');
    },
  );

  it('of any text is read without an error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        expect(['string', 'object']).toContain(typeof readWatchFrame(text));
      }),
    );
  });
});

/** The server omits what is empty. */
function present(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Boolean(value)));
}
