import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { RecordedSpan } from '../support/trace-recorder.js';

interface Printed {
  readonly spans: readonly RecordedSpan[];
  readonly received: readonly Readonly<Record<string, string>>[];
}

/** Runs an application whose HTTP is instrumented, in a process of its own: the instrumentation replaces parts of Node. */
async function run(mode: 'traced' | 'untraced') {
  const script = resolve('build/tree/test/support/traced-context.js');
  const { stdout } = await promisify(execFile)(process.execPath, [script, mode]);
  const { spans, received }: Printed = JSON.parse(stdout);
  const byHost = spans.filter(({ by }) => by === 'instrumentation-http');
  const ofHost = (path: RegExp) => byHost.filter(({ name }) => path.test(name));
  return { spans, received, byHost, ofHost };
}

const traced = run('traced');
const untraced = run('untraced');

const background = /\/(?:heartbeat|watcher|existence)|^DELETE|^POST/;

describe('in an application whose HTTP is instrumented', () => {
  it.concurrent('no span of ours is the parent of one of the host', async () => {
    const { spans, ofHost, received } = await traced;
    const ours = spans.filter(({ by }) => by === 'nestjs-servicecomb');
    expect(ours.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'servicecomb register',
        'POST registerInstance',
        'GET',
        'servicecomb unregister',
        'DELETE unregisterInstance',
      ]),
    );
    const ids = new Set(ours.map(({ spanId }) => spanId));
    const children = spans.filter(({ parentId = '' }) => ids.has(parentId));
    expect(new Set(children.map(({ by }) => by))).toEqual(new Set(['nestjs-servicecomb']));
    expect(ofHost(background)).toEqual([]);

    const [call, ...others] = spans.filter(({ parent, kind, name }) => {
      return parent === 'call' && kind === 'CLIENT' && !name.includes('registry');
    });
    expect(others).toEqual([]);
    expect(call).toMatchObject({ by: 'nestjs-servicecomb' });
    expect(received).toMatchObject([{ traceparent: `00-${call?.traceId}-${call?.spanId}-01` }]);
  });

  it.concurrent('what a request asks of the registry stays in its trace', async () => {
    const { ofHost } = await traced;
    expect(ofHost(/^GET .*\/instances\?/)).toMatchObject([{ parent: 'call' }]);
    expect(ofHost(/^PUT .*\/status/)).toMatchObject([{ parent: 'operator' }]);
  });

  it.concurrent('heartbeats are in the trace of no request, without our tracing', async () => {
    const { ofHost } = await untraced;
    expect(ofHost(/\/heartbeat/).length).toBeGreaterThan(0);
    const parents = ofHost(/\/(?:heartbeat|watcher)/).map(({ parent }) => parent);
    expect(new Set(parents)).toEqual(new Set([undefined]));
    expect(ofHost(/\/hello/)).toMatchObject([{ parent: 'call' }]);
  });

  it.concurrent('the hook of the documentation ignores what goes to the registry', async () => {
    const { byHost } = await untraced;
    const [call, ...others] = byHost.filter(({ attributes }) => attributes['ignored'] === false);
    expect(call?.name).toBe('GET /hello');
    expect(others).toEqual([]);
    expect(byHost.length).toBeGreaterThan(5);
  });
});
