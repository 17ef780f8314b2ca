import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { launchChromium } from './chromium.js';
import { PageUnderTest } from './page-under-test.js';

let browser: Browser;
let page: Page;
let tested: PageUnderTest;

beforeAll(async () => {
  browser = await launchChromium();
}, 60_000);

afterAll(() => browser?.close());

beforeEach(async () => {
  tested = new PageUnderTest();
  await tested.registry.start();
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 } });
  context.setDefaultTimeout(10_000);
  page = await context.newPage();
});

afterEach(async () => {
  await page.context().close();
  await tested.registry.stop();
});

const row = (instanceId: string): Locator =>
  page.locator('.instance').filter({ has: page.getByText(instanceId, { exact: true }) });
const remove = (instanceId: string): Locator =>
  page.getByRole('button', { name: `Remove orders 1.0.0, instance ${instanceId}`, exact: true });
const expire = (instanceId: string): Locator =>
  page.getByRole('button', { name: `Expire orders 1.0.0, instance ${instanceId}`, exact: true });
const events = (): Locator => page.locator('#event-list');

/** Globals of the browser that functions in the page use. */
interface InBrowser {
  readonly document: { readonly activeElement: unknown };
  getComputedStyle(element: unknown): Readonly<Record<string, string>>;
}

const isFocused = (element: Locator): Promise<boolean> =>
  element.evaluate(found => found === (globalThis as unknown as InBrowser).document.activeElement);

const styleOf = (element: Locator, name: string): Promise<string | undefined> =>
  element.evaluate(
    (found, wanted) => (globalThis as unknown as InBrowser).getComputedStyle(found)[wanted],
    name,
  );

/** Returns the remaining share of a lease as its bar shows it, from 0 to 1. */
const shareOf = async (instanceId: string): Promise<number> => {
  const style = await row(instanceId).locator('.fill').getAttribute('style');
  return Number(/scaleX\(([\d.]+)\)/.exec(style ?? '')?.[1]);
};

async function orders(...instanceIds: readonly string[]): Promise<void> {
  await tested.service({ serviceId: 'orders' });
  for (const instanceId of instanceIds) await tested.instance('orders', instanceId);
}

/** Resolves once a condition is true. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 10_000;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error(`Never so: ${String(isSo)}`);
    await page.waitForTimeout(50);
  }
}

describe('the page', () => {
  it('says how to register something while there is nothing', async () => {
    await tested.open(page);
    const empty = page.locator('#empty');
    await empty.waitFor();
    expect(await empty.textContent()).toContain(tested.registry.url);
    await orders('a');
    await row('a').waitFor();
    expect(await empty.isVisible()).toBe(false);
  });

  it('tells of what happened before it was opened', async () => {
    await orders('a');
    tested.registry.forget('a');
    await tested.open(page);
    await events().getByText('orders 1.0.0 a').first().waitFor();
    expect(await events().locator('[data-kind="expired"]').count()).toBe(1);
  });

  it('shows schemas, tags and who calls whom when a service is opened', async () => {
    await orders('a');
    await tested.schema('orders', 'orders.rest', 'openapi: 3.0.0');
    await tested.open(page);
    await page.locator('.facts > summary').click();
    await page.locator('.facts').getByText('is called by').waitFor();
    expect(await page.locator('.facts dl').textContent()).toMatch(/serviceId\s*orders.*schemas/);
    const opened = page.waitForEvent('popup');
    await page.getByRole('link', { name: 'orders.rest' }).click();
    expect(await (await opened).textContent('body')).toBe('openapi: 3.0.0');
  });

  it('explains its labels, names its profile, and offers the registry as a seed', async () => {
    await orders('a');
    await tested.open(page);
    await page.getByText('profile open-source · no oddities').waitFor();
    await page.locator('#legend > summary').click();
    expect(await page.locator('#legend').textContent()).toMatch(/Expire.*registers again/);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download as a seed' }).click();
    expect((await download).suggestedFilename()).toBe('registry.json');
  });

  it('closes the registry with one click, for half a minute', async () => {
    await orders('a');
    await tested.open(page);
    await page.getByRole('button', { name: 'Registry down for 30 s' }).click();
    await page.locator('#connection[data-state="lost"]').waitFor();
    expect(tested.registry.faults.list()).toMatchObject([{ kind: 'refuse' }]);
    await tested.registry.faults.clear();
    await page.locator('#connection[data-state="live"]').waitFor();
    // The browser reports the connection that was refused meanwhile.
    tested.complaints.length = 0;
  });

  it('lists services and instances with status, endpoints and properties', async () => {
    await tested.service({ serviceId: 'orders' });
    await tested.instance('orders', 'a', { status: 'DOWN', properties: { zone: 'north' } });
    await tested.open(page);
    expect(await page.getByRole('heading', { level: 3 }).allTextContents()).toContain(
      'orders 1.0.0',
    );
    const text = (await row('a').textContent()) ?? '';
    expect(text).toMatch(/DOWN.*rest:\/\/10\.0\.0\.7:3000/);
    expect(text).toMatch(/last heartbeat \d\d:\d\d:\d\d/);
    await row('a').getByText('1 property').click();
    expect(await row('a').locator('dl').innerText()).toMatch(/zone\s+north/);
  });

  it('shows what comes, changes and goes as it happens', async () => {
    await orders();
    await tested.open(page);
    await tested.instance('orders', 'a');
    await row('a').waitFor();
    await events().getByText('registered orders 1.0.0 a').waitFor();
    tested.registry.forget('a');
    await events().getByText('expired orders 1.0.0 a').waitFor();
    await row('a').waitFor({ state: 'detached' });
  });

  it('lets the bar of a lease shrink, and a heartbeat fill it', async () => {
    await orders('a');
    await tested.open(page);
    await until(async () => (await shareOf('a')) < 0.93);
    expect(await row('a').locator('.left').textContent()).toMatch(/^1\d s of 20 s left$/);
    expect(await tested.beat('orders', 'a')).toBe(200);
    await until(async () => (await shareOf('a')) > 0.97);
    await events().getByText('renewed orders 1.0.0 a').waitFor();
    await page.getByRole('checkbox', { name: 'renewals' }).uncheck();
    await events().getByText('renewed').waitFor({ state: 'detached' });
  });

  it('ends leases on time while the page is open', async () => {
    await orders();
    await tested.open(page);
    await tested.instance('orders', 'a', { healthCheck: { mode: 'push', interval: 1, times: 1 } });
    await events().getByText('expired orders 1.0.0 a').waitFor();
    expect(tested.registry.requests.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  it('reads out changes in one sentence, and no renewals', async () => {
    await orders('a');
    await tested.open(page);
    await tested.beat('orders', 'a');
    await tested.instance('orders', 'b');
    await tested.instance('orders', 'c');
    await page.getByRole('status').getByText('2 registered.').waitFor();
  });

  it('comes back by itself after the registry was away', async () => {
    await tested.open(page);
    await tested.registry.stop();
    await page.locator('#connection[data-state="lost"]').waitFor();
    await tested.registry.start();
    await orders('a');
    await row('a').waitFor();
    expect(await page.locator('#connection').textContent()).toBe('live');
  });

  it('asks no other host, and nothing is refused by its own policy', async () => {
    await orders('a');
    await tested.open(page);
    await row('a').waitFor();
    await expire('a').click();
    await row('a').waitFor({ state: 'detached' });
    expect(tested.complaints).toEqual([]);
    const injected = await page.evaluate(`
      new Promise(resolve => {
        document.addEventListener('securitypolicyviolation', event => resolve(event.effectiveDirective));
        const script = document.createElement('script');
        script.textContent = 'window.hurt = true';
        document.body.append(script);
      })
    `);
    expect(injected).toBe('script-src-elem');
    expect(await page.evaluate('window.hurt')).toBeUndefined();
  });
});

describe('what clients send', () => {
  const hostile = '<img src=x onerror="window.hurt=1">';

  it('is text wherever it is shown', async () => {
    await tested.service({ serviceId: 'orders' });
    await tested.instance('orders', 'a', {
      hostName: hostile,
      endpoints: [`rest://${hostile}`],
      properties: { [hostile]: hostile, __proto__: 'x', constructor: hostile },
    });
    await tested.open(page);
    await row('a').locator('summary').click();
    await row('a').locator('dd').getByText(hostile).first().waitFor();
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.evaluate('window.hurt')).toBeUndefined();
    expect(await row('a').locator('.endpoint').textContent()).toBe(`rest://${hostile}`);
  });
});

describe('an instance, by keyboard alone', () => {
  it('expires, and the next one has the focus', async () => {
    await orders('a', 'b');
    await tested.open(page);
    await expire('a').focus();
    await page.keyboard.press('Enter');
    await row('a').waitFor({ state: 'detached' });
    await events().getByText('expired orders 1.0.0 a').waitFor();
    expect(await isFocused(expire('b'))).toBe(true);
  });

  it('is removed, and its service has the focus when it was the last', async () => {
    await orders('a');
    await tested.open(page);
    await expire('a').focus();
    await page.keyboard.press('Tab');
    expect(await isFocused(remove('a'))).toBe(true);
    await page.keyboard.press('Space');
    await events().getByText('removed orders 1.0.0 a').waitFor();
    await row('a').waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('orders 1.0.0');
    expect(tested.registry.instances()).toEqual([]);
  });

  it('shows where the focus is', async () => {
    await orders('a');
    await tested.open(page);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    await expire('a').focus();
    await page.keyboard.press('Tab');
    expect(await styleOf(remove('a'), 'outlineStyle')).toBe('solid');
  });
});

describe('a fault', () => {
  it('is switched on, strikes, and is switched off', async () => {
    await orders('a');
    await tested.open(page);
    await page.getByText('Switch on a fault').click();
    await page.getByLabel('Kind').selectOption('answer');
    await page.getByLabel('Status', { exact: true }).fill('503');
    await page.getByLabel('Error code').fill('500011');
    await page.getByLabel('Requests', { exact: true }).selectOption('heartbeat');
    await page.getByRole('button', { name: 'Switch on' }).click();
    const off = page.getByRole('button', { name: /^Switch off answer .* on heartbeat$/ });
    await off.waitFor();
    expect(await tested.beat('orders', 'a')).toBe(503);
    await page.locator('#fault-list').getByText('1 request hit').waitFor();
    await off.focus();
    await page.keyboard.press('Enter');
    await off.waitFor({ state: 'detached' });
    expect(await tested.beat('orders', 'a')).toBe(200);
    expect(tested.registry.faults.list()).toEqual([]);
    expect(await page.evaluate('document.activeElement.tagName')).toBe('SUMMARY');
    expect(tested.complaints).toEqual([]);
  });

  it.each(['hang', 'delay', 'reset', 'trickle', 'garbage', 'swallow-renewals', 'skew-clock'])(
    'of the kind %s can be chosen',
    async kind => {
      await tested.open(page);
      await page.getByText('Switch on a fault').click();
      await page.getByLabel('Kind').selectOption(kind);
      await page.getByRole('button', { name: 'Switch on' }).click();
      await until(async () => tested.registry.faults.list()[0]?.kind === kind);
      expect(await page.locator('#problem').isVisible()).toBe(false);
    },
  );

  it('may refuse the page itself, which comes back', async () => {
    await tested.open(page);
    await page.getByText('Switch on a fault').click();
    await page.getByLabel('Kind').selectOption('refuse');
    await page.getByLabel('For how many milliseconds').fill('500');
    await page.getByRole('button', { name: 'Switch on' }).click();
    await page.locator('#connection[data-state="lost"]').waitFor();
    await page.locator('#connection[data-state="live"]').waitFor();
  });
});

describe('the look of the page', () => {
  it('has no sideways scrolling at 360 pixels, whatever clients send', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const long = 'x'.repeat(64);
    await tested.service({ serviceId: 'orders' });
    await tested.instance('orders', long, {
      endpoints: [`rest://${'y'.repeat(200)}:3000`],
      properties: { ['z'.repeat(150)]: 'v'.repeat(300) },
    });
    await tested.open(page);
    tested.registry.faults.hang({ path: new RegExp('p'.repeat(200)) });
    await row(long).locator('summary').click();
    await page.getByText('Switch on a fault').click();
    await page.locator('#fault-list li').waitFor();
    expect(await page.evaluate(tooWide)).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('has readable colours in %s', async colorScheme => {
    await page.emulateMedia({ colorScheme });
    await tested.service({ serviceId: 'orders' });
    for (const status of ['UP', 'DOWN', 'TESTING'])
      await tested.instance('orders', status, { status, properties: { a: '1' } });
    await tested.open(page);
    tested.registry.faults.hang({ operation: 'heartbeat' });
    await page.getByText('Switch on a fault').click();
    await page.locator('#fault-list li').waitFor();
    expect(await page.evaluate(tooPale)).toEqual([]);
  });

  it('does not animate if reduced motion is preferred', async () => {
    await orders('a');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await tested.open(page);
    expect(await styleOf(row('a').locator('.fill'), 'transitionDuration')).toBe('0s');
  });

  it('stays quick with a thousand instances: it shows some, and more on demand', async () => {
    await tested.service({ serviceId: 'orders' });
    const ids = Array.from({ length: 1000 }, (_, count) => `instance-${count}`);
    for (let at = 0; at < ids.length; at += 100)
      await Promise.all(ids.slice(at, at + 100).map(id => tested.instance('orders', id)));
    await tested.open(page);
    await page.locator('#counts').getByText('1 service, 1000 instances').waitFor();
    expect(await page.locator('.instance').count()).toBe(10);
    const worst = page.evaluate(longestFrame);
    for (let at = 0; at < ids.length; at += 100)
      await Promise.all(ids.slice(at, at + 100).map(id => tested.beat('orders', id)));
    expect(await worst).toBeLessThan(500);
    await page.getByRole('button', { name: 'Show 100 more of orders (990 not shown)' }).click();
    expect(await page.locator('.instance').count()).toBe(110);
    await page.getByLabel('Filter').fill('nothing like it');
    await page.getByText('No service matches the filter.').waitFor();
  });
});

/** Finds elements that are wider than the window. */
const tooWide = `
  [...document.body.querySelectorAll('*')]
    .filter(element => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth)
    .filter(element => element.closest('pre') === null)
    .map(element => element.tagName + '.' + element.className + '#' + element.id)
`;

/** Measures the longest time between two frames within two seconds, in milliseconds. */
const longestFrame = `
  new Promise(resolve => {
    const began = performance.now();
    let last = began;
    let worst = 0;
    const frame = now => {
      worst = Math.max(worst, now - last);
      last = now;
      if (now - began > 2000) resolve(worst);
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })
`;

/** Finds texts with a contrast below 4.5 to 1 (WCAG 2.2, 1.4.3). */
const tooPale = `
  (() => {
    const channels = color => color.match(/[\\d.]+/g).map(Number);
    const isClear = color => channels(color)[3] === 0;
    const luminance = color => {
      const [r, g, b] = channels(color).map(value => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const groundOf = element => {
      for (let each = element; each !== null; each = each.parentElement) {
        const { backgroundColor } = getComputedStyle(each);
        if (!isClear(backgroundColor)) return backgroundColor;
      }
      return 'rgb(255, 255, 255)';
    };
    const pale = [];
    let seen = 0;
    for (const element of document.body.querySelectorAll('*')) {
      const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim() !== '');
      if (!hasText || !element.checkVisibility() || element.tagName === 'NOSCRIPT') continue;
      seen += 1;
      const lights = [getComputedStyle(element).color, groundOf(element)].map(luminance).sort();
      const [dark, light] = lights.sort((a, b) => a - b);
      const contrast = (light + 0.05) / (dark + 0.05);
      if (contrast < 4.5) pale.push(element.tagName + ' ' + element.textContent + ' ' + contrast.toFixed(2));
    }
    if (seen < 20) pale.push('only ' + seen + ' texts were seen');
    return pale;
  })()
`;
