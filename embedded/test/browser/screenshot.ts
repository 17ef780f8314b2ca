import type { Clock } from '../../lib/index.js';
import { launchChromium } from './chromium.js';
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
    viewport: { width: 1180, height: 760 },
    deviceScaleFactor: 1.25,
    colorScheme: 'light',
    reducedMotion: 'reduce',
  });
  const healthCheck = { mode: 'push', interval: 15, times: 3 };
  const at = (address: string) => ({ endpoints: [`rest://${address}`], healthCheck });
  const second = () => clock.advance(1000);

  await tested.service({ serviceId: 'caller', version: '1.0.0' });
  await tested.service({ serviceId: 'greeter', version: '1.4.0' });
  await tested.service({ serviceId: 'payments', version: '2.0.1' });
  await tested.instance('payments', 'payments-7f9c', {
    ...at('10.0.0.21:8080'),
    status: 'STARTING',
  });
  clock.advance(22_000);
  await tested.instance('greeter', 'greeter-2', { ...at('10.0.0.13:3001'), status: 'DOWN' });
  clock.advance(24_000);
  await tested.instance('caller', 'caller-1', { ...at('10.0.0.11:3002'), hostName: 'node-1' });
  clock.advance(8000);
  await tested.open(page);
  const properties = { zone: 'north', build: '2026.1' };
  await tested.instance('greeter', 'greeter-1', { ...at('10.0.0.12:3001'), properties });
  await page.getByText('greeter-1').first().waitFor();
  second();
  await tested.instance('greeter', 'greeter-3', { ...at('10.0.0.14:3001') });
  await page.getByText('greeter-3').first().waitFor();
  second();
  tested.registry.forget('greeter-3');
  await page.locator('#event-list').getByText('expired').waitFor();
  second();
  await tested.beat('caller', 'caller-1');
  await tested.beat('greeter', 'greeter-1');
  await page.locator('#event-list').getByText('2 leases').waitFor();
  tested.registry.faults.delay(2000, { operation: 'heartbeat', times: 5 });
  await page.locator('#fault-list li').waitFor();
  await page.screenshot({ path: packagePath('docs/page.png') });
} finally {
  await browser.close();
  await tested.registry.stop();
}
