import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { EventStream } from '../../../lib/page/event-stream.js';
import { OddityKnobs } from '../../../lib/model/oddities.js';
import { Faults } from '../../../lib/server/faults.js';
import { TestRegistry } from '../../support/registry.js';
import { idleTarget } from '../../support/fault-target.js';

const setup = { profile: 'open-source', oddities: new OddityKnobs() };
/** What a listener is sent first. */
const all = ['registry', 'history', 'setup', 'faults'];

/** A browser whose connection accepts nothing until told to. */
class SlowResponse extends Writable {
  readonly names: string[] = [];
  #done: (() => void) | undefined;

  writeHead(): void {
    // The head is not checked.
  }

  /** Accepts the pending data. */
  take(): void {
    this.#done?.();
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.receive(chunk, done);
  }

  receive(chunk: Buffer, done: () => void): void {
    for (const [, name = ''] of chunk.toString().matchAll(/^event: (\w+)$/gm))
      this.names.push(name);
    this.#done = done;
  }
}

/** A browser that accepts everything at once. */
class QuickResponse extends SlowResponse {
  readonly #onName: (name: string) => void;

  constructor(onName: (name: string) => void) {
    super();
    this.#onName = onName;
  }

  override receive(chunk: Buffer, done: () => void): void {
    super.receive(chunk, done);
    this.#onName(this.names.at(-1) ?? '');
    this.take();
  }
}

it('a listener that is too slow hears nothing until it has caught up, and then everything', async () => {
  const registry = new TestRegistry();
  const faults = new Faults(idleTarget);
  const hub = new EventStream(registry.model, faults, setup);
  const serviceId = registry.service();
  const properties = { text: 'x'.repeat(4000) };
  for (let count = 0; count < 300; count += 1) registry.instance(serviceId, { properties });
  const response = new SlowResponse();
  hub.add(response as unknown as ServerResponse, {});
  expect(response.names).toEqual(all);
  const told = new Promise<void>(resolve => {
    const other = new QuickResponse(name => {
      if (name === 'changes') resolve();
    });
    hub.add(other as unknown as ServerResponse, {});
  });
  registry.instance(serviceId);
  await told;
  expect(response.names).toEqual(all);
  const drained = new Promise(resolve => response.once('drain', resolve));
  response.take();
  await drained;
  expect(response.names).toEqual([...all, ...all]);
  hub.close();
  expect(registry.clock.timers).toBe(0);
});

it('listeners that never read are closed beyond 64 MiB, the one that is behind for longest first', () => {
  const registry = new TestRegistry();
  const hub = new EventStream(registry.model, new Faults(idleTarget), setup);
  const serviceId = registry.service();
  const properties = { text: 'x'.repeat(4000) };
  for (let count = 0; count < 300; count += 1) registry.instance(serviceId, { properties });
  const responses = Array.from({ length: 200 }, () => {
    const response = new SlowResponse();
    hub.add(response as unknown as ServerResponse, {});
    return response;
  });
  const waiting = responses.reduce((sum, { writableLength }) => sum + writableLength, 0);
  expect(waiting).toBeGreaterThan(32 * 1024 * 1024);
  const open = responses.filter(({ destroyed }) => !destroyed);
  const held = open.reduce((sum, { writableLength }) => sum + writableLength, 0);
  expect(held).toBeLessThanOrEqual(64 * 1024 * 1024);
  expect(open).toEqual(responses.slice(-open.length));
  hub.close();
  expect(registry.clock.timers).toBe(0);
});
