import { afterEach, describe, expect, it } from '@jest/globals';
import { HostileServer, pouring } from '../support/hostile-server.js';
import { httpClient } from './registry-under-test.js';

const server = new HostileServer(
  pouring('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n', '1\r\n \r\n'.repeat(10_000)),
);

afterEach(() => server.stop());

describe('an answer in pieces of a byte each', () => {
  it('takes little more memory than it is long: a list of its pieces took 400 MB', async () => {
    const address = await server.start();
    const { rss } = process.memoryUsage();
    let most = 0;
    const look = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - rss);
    }, 10);
    const ref = { serviceId: 's', instanceId: 'i' };
    const heartbeat = httpClient(address).sendHeartbeat(ref, { timeoutMs: 60_000 });
    await expect(heartbeat).rejects.toMatchObject({ received: 'ERR_ANSWER_TOO_LONG' });
    clearInterval(look);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(150_000_000);
  }, 90_000);
});
