import type { Clock } from '../../lib/index.js';
import { launchChromium } from './chromium.js';
import { exchange } from '../support/exchange.js';
import { packagePath } from '../support/package-path.js';
import { PageUnderTest } from './page-under-test.js';

/** Takes the README's picture of the page: `npm run screenshot`. */

/** A clock that stands still, so that each picture shows the same. */
class Standstill implements Clock {
  #now = new Date(2026, 0, 5, 10, 24, 0).getTime();

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}

const clock = new Standstill();
const tested = new PageUnderTest({ clock });
await tested.registry.start();
const browser = await launchChromium();
try {
  const page = await browser.newPage({
    viewport: { width: 1180, height: 860 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
  });
  await register();
  await tested.open(page);
  const greeter = page.locator('.service').filter({ hasText: 'greeter 1.4.0' });
  await greeter.locator('.facts > summary').click();
  await greeter.getByText('is called by').waitFor();
  await page.locator('#fault-list li').waitFor();
  await page.screenshot({ path: packagePath('docs/page.png') });
} finally {
  await browser.close();
  await tested.registry.stop();
}

/** Two services of which one calls the other, with instances in several states, and a fault: before the page is opened. */
async function register(): Promise<void> {
  const healthCheck = { mode: 'push', interval: 15, times: 3 };
  const at = (address: string) => ({ endpoints: [`rest://${address}`], healthCheck });
  await tested.service({ serviceId: 'caller', version: '1.0.0' });
  await tested.service({ serviceId: 'greeter', version: '1.4.0' });
  await send('PUT', '/microservices/greeter/schemas/GreetingController', {
    summary: '5d41402abc4b2a76b9719d911017c592',
    schema: 'openapi: 3.0.0\ninfo: { title: greeter, version: 1.4.0 }\n',
  });
  await send('POST', '/microservices/greeter/tags', { tags: { team: 'greetings' } });
  await tested.instance('greeter', 'greeter-2', { ...at('10.0.0.13:3001'), status: 'DOWN' });
  clock.advance(24_000);
  await tested.instance('caller', 'caller-1', { ...at('10.0.0.11:3002'), hostName: 'node-1' });
  await send('GET', '/instances?appId=shop&serviceName=greeter');
  clock.advance(8_000);
  const properties = { zone: 'north', build: '2026.1' };
  await tested.instance('greeter', 'greeter-1', { ...at('10.0.0.12:3001'), properties });
  clock.advance(1_000);
  await tested.instance('greeter', 'greeter-3', at('10.0.0.14:3001'));
  clock.advance(1_000);
  tested.registry.forget('greeter-3');
  clock.advance(1_000);
  await tested.beat('caller', 'caller-1');
  await tested.beat('greeter', 'greeter-1');
  tested.registry.faults.delay(2_000, { operation: 'heartbeat', times: 5 });
}

/** Sends a request of the caller. */
async function send(method: string, path: string, body?: unknown): Promise<void> {
  const request = {
    method,
    path: `/v4/default/registry${path}`,
    body,
    headers: { 'X-ConsumerId': 'caller' },
  };
  const { status, text } = await exchange(tested.registry.url, request);
  if (status >= 400) throw new Error(`${method} ${path} is answered ${status}: ${text}`);
}
