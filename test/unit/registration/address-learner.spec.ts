import { describe, expect, it } from '@jest/globals';
import { AddressBook } from '../../../lib/protocol/address-book.js';
import { AddressLearner } from '../../../lib/registration/address-learner.js';
import { ServiceCenterClient } from '../../../lib/protocol/service-center.client.js';
import { channelOf, failing, type FakeAnswer, FakeSend } from '../../support/fake-send.js';
import { FakeClock } from '../../support/fake-clock.js';
import { paceOf } from './parts.js';

const [a, b] = ['http://a:1', 'http://b:2'] as const;
const nodes = (...endpoints: readonly string[]) => ({
  body: {
    instances: endpoints.map(endpoint => ({
      instanceId: endpoint,
      serviceId: 's',
      hostName: 'h',
      endpoints: [endpoint],
    })),
  },
});

function learning(...answers: readonly FakeAnswer[]) {
  const http = new FakeSend(...answers);
  const clock = new FakeClock();
  const caller = channelOf(http.send, { addresses: [a] });
  const client = new ServiceCenterClient(caller);
  const { addresses } = caller;
  const learner = new AddressLearner({
    client,
    addresses,
    clock,
    dataCenter: undefined,
    pace: paceOf(),
  });
  return { http, clock, addresses, learner };
}

describe('addresses that the registry tells of', () => {
  it('are asked for at once, then every ten minutes', async () => {
    const { http, clock, learner } = learning(nodes('rest://b:2/'));
    for (let minute = 0; minute < 25; minute += 1) {
      learner.tick();
      await clock.advance(60_000);
    }
    expect(http.lines).toEqual(Array(3).fill(`GET ${a}/v4/default/registry/health`));
  });

  it('are probed before anything else goes there, and nobody is told', async () => {
    const { clock, addresses, learner } = learning(nodes('rest://b:2/'));
    const told: unknown[] = [];
    addresses.onChange(change => told.push(change));
    learner.tick();
    await clock.advance(0);
    expect(addresses.isolated).toEqual([b]);
    expect(addresses.hasAnother).toBe(false);
    addresses.probeAnswered(b);
    expect(addresses.isolated).toEqual([]);
    expect(addresses.hasAnother).toBe(true);
    expect(told).toEqual([]);
  });

  it('are forgotten when the registry tells of them no more; configured ones never are', async () => {
    const { clock, addresses, learner } = learning(nodes('rest://b:2/'), nodes('rest://c:3/'));
    learner.tick();
    await clock.advance(0);
    addresses.probeAnswered(b);
    addresses.leave(a);
    expect(addresses.current).toBe(b);
    await clock.advance(700_000);
    learner.tick();
    await clock.advance(0);
    expect(addresses.current).toBe(a);
    expect(addresses.isolated).toEqual(['http://c:3']);
  });

  it('are https where all configured ones are: credentials go nowhere in the clear', () => {
    const book = new AddressBook(['https://a:1']);
    book.learn(['http://b:2', 'https://c:3']);
    expect(book.isolated).toEqual(['https://c:3']);
    const mixed = new AddressBook(['https://a:1', 'http://d:4']);
    mixed.learn(['http://b:2']);
    expect(mixed.isolated).toEqual(['http://b:2']);
  });

  it('are asked for again a minute after a failure, which is no news', async () => {
    const { http, clock, learner } = learning(failing('ECONNREFUSED'), nodes());
    learner.tick();
    await clock.advance(60_000);
    learner.tick();
    await clock.advance(0);
    expect(http.lines).toHaveLength(2);
  });

  it('are asked for by nobody when the learner was stopped in between', async () => {
    const { clock, addresses, learner } = learning(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    );
    learner.tick();
    await clock.advance(0);
    learner.stop();
    await clock.advance(0);
    expect(() => learner.tick()).not.toThrow();
    expect(addresses.isolated).toEqual([]);
  });
});
