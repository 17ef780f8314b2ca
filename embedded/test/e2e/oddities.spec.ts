import { beforeEach, describe, expect, it } from '@jest/globals';
import type { EmbeddedServiceCenter } from '../../lib/index.js';
import { FakeClock } from '../support/registry.js';
import { arrival, ask, outcome, registered, started } from './server.js';

let clock: FakeClock;
let serviceCenter: EmbeddedServiceCenter;
let path: string;

beforeEach(async () => {
  clock = new FakeClock();
  serviceCenter = await started({ clock });
  path = await registered(serviceCenter);
  serviceCenter.oddities.set({ storeDown: true });
});

/** Sends a request that must wait; resolves once the server has received it. */
async function waiting(line: string) {
  const isHeld = clock.nextTimer();
  const answer = ask(serviceCenter, line);
  await isHeld;
  return { answer };
}

describe('a request to a server without its store', () => {
  it('fails after 30 s, and not before', async () => {
    const { answer } = await waiting(`DELETE ${path}`);
    let isAnswered = false;
    void answer.then(() => (isAnswered = true));
    clock.advance(20_000);
    serviceCenter.oddities.set({ publicationMs: 300 });
    clock.advance(9999);
    expect((await ask(serviceCenter, `PUT ${path}/heartbeat`)).status).toBe(200);
    expect(isAnswered).toBe(false);
    clock.advance(1);
    const { status, text } = await answer;
    expect(status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ errorCode: '500011' });
    expect(clock.timers).toBe(0);
  });

  it.each([
    ['one read past the cache', 'GET /microservices/orders/instances?noCache=1', 1000],
    ['two for what is not in the cache', 'GET /microservices/orders/instances/other', 2000],
    ['two for a service that is not', 'GET /instances?appId=default&serviceName=nobody', 2000],
  ])('waits for %s, for the given duration', async (_, line, ms) => {
    serviceCenter.oddities.set({ storeTimeoutMs: 1000 });
    const { answer } = await waiting(line);
    clock.advance(ms - 1);
    expect(clock.timers).toBe(1);
    clock.advance(1);
    expect(clock.timers).toBe(0);
    expect(await outcome(answer)).toBe(500);
  });

  it('is executed when the store is back before that', async () => {
    const { answer } = await waiting(`PUT ${path}/status?value=DOWN`);
    clock.advance(5000);
    serviceCenter.oddities.set({ publicationMs: 100 });
    serviceCenter.oddities.set({ storeDown: false, publicationMs: 0 });
    expect(await outcome(answer)).toBe(200);
    expect(serviceCenter.instances()).toMatchObject([{ status: 'DOWN' }]);
    expect(clock.timers).toBe(0);
    expect(serviceCenter.requests.at(-1)?.status).toBe(200);
  });

  it('is forgotten with the client that sent it', async () => {
    const { answer } = await waiting(`DELETE ${path}`);
    const end = outcome(answer);
    await serviceCenter.stop();
    expect(await end).toBe('ECONNRESET');
    expect(clock.timers).toBe(0);
    serviceCenter.oddities.clear();
    expect(serviceCenter.instances()).toHaveLength(1);
  });

  it('waits behind a fault, too', async () => {
    serviceCenter.faults.delay(1, { operation: 'unregisterInstance' });
    const isThere = arrival(serviceCenter);
    const isHeld = clock.nextTimer();
    const answer = ask(serviceCenter, `DELETE ${path}`);
    await isThere;
    await isHeld;
    clock.advance(30_000);
    expect(await outcome(answer)).toBe(500);
  });
});
