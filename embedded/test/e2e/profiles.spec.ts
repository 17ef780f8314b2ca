import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { profiles } from '../../lib/profiles/profile.js';
import { started } from './server.js';

describe('a fault', () => {
  it.each(profiles)('has the format of errors of %s', async profile => {
    const serviceCenter = await started({ profile });
    serviceCenter.faults.answer(500, { errorCode: 500_003, detail: 'disk full' });
    const answer = await fetch(`${serviceCenter.url}/v4/default/registry/version`);
    const isOlder = profile === 'cse-legacy';
    expect(Object.keys((await answer.json()) as object)).toEqual(
      isOlder ? ['errCode', 'errMsg', 'detail'] : ['errorCode', 'errorMessage', 'detail'],
    );
  });

  it('without a detail has an empty one in the older form, and none in the others', async () => {
    for (const [profile, text] of [
      ['cse-legacy', '{"errCode":"500003","errMsg":"Internal server error","detail":""}'],
      ['cse-exclusive', '{"errorCode":"500003","errorMessage":"Internal server error"}'],
    ] as const) {
      const serviceCenter = await started({ profile });
      serviceCenter.faults.answer(500, { errorCode: 500_003 });
      const answer = await fetch(serviceCenter.url);
      expect(await answer.text()).toBe(text);
    }
  });
});

describe('a watcher of the older form', () => {
  it('is refused without its domain', async () => {
    const serviceCenter = await started({ profile: 'cse-legacy' });
    const path = '/v4/default/registry/microservices';
    await fetch(`${serviceCenter.url}${path}`, {
      method: 'POST',
      headers: { 'x-domain-name': 'tenant' },
      body: JSON.stringify({
        service: { serviceId: 'orders', serviceName: 'orders', version: '1.0.0' },
      }),
    });
    const url = `${serviceCenter.url}${path}/orders/watcher`;
    const socket = new WebSocket(url.replace('http', 'ws'));
    const [error]: unknown[] = await once(socket, 'error');
    expect(String(error)).toContain('Unexpected server response: 400');
    expect(serviceCenter.requests.at(-1)?.status).toBe(400);
  });
});
