import { describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/index.js';
import type { ApiRequest } from '../../lib/index.js';
import { FakeClock } from '../support/registry.js';

const microservices = '/v4/default/registry/microservices';

function request(method: string, target: string, body: unknown = ''): ApiRequest {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method, target, headers: {}, body: Buffer.from(text) };
}

describe('a request without a connection', () => {
  it('is answered by a Service Center that does not listen', () => {
    const serviceCenter = new EmbeddedServiceCenter({ clock: new FakeClock() });
    const service = { serviceId: 'orders', serviceName: 'orders' };
    expect(serviceCenter.answer(request('POST', microservices, { service }))).toMatchObject({
      status: 200,
      headers: { 'Content-Type': 'application/json; charset=UTF-8' },
      body: '{"serviceId":"orders"}',
    });
    expect(serviceCenter.dump().services).toMatchObject([{ service }]);
  });

  it('is refused in the format of the profile', () => {
    const serviceCenter = new EmbeddedServiceCenter({ profile: 'cse-legacy' });
    const { status, body } = serviceCenter.answer(request('GET', `${microservices}/none`));
    expect([status, Object.keys(JSON.parse(body) as object)]).toEqual([
      400,
      ['errCode', 'errMsg', 'detail'],
    ]);
  });

  it('is neither hit by a fault nor listed', () => {
    const serviceCenter = new EmbeddedServiceCenter();
    serviceCenter.faults.answer(500, '');
    expect(serviceCenter.answer(request('GET', '/version')).status).toBe(200);
    expect(serviceCenter.requests).toEqual([]);
  });

  it('returns how long a server without its store would take', () => {
    const serviceCenter = new EmbeddedServiceCenter({ oddities: { storeDown: true } });
    const service = { serviceName: 'orders' };
    const { status, waitMs } = serviceCenter.answer(request('POST', microservices, { service }));
    expect(status).toBe(500);
    expect(waitMs).toBeGreaterThan(0);
  });
});
