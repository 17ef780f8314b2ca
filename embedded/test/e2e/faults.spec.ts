import { describe, expect, it } from '@jest/globals';
import { arrival, ask, outcome, rawExchange, registered, started } from './server.js';

describe('a request that hangs', () => {
  it('is never answered, and closed when the fault ends', async () => {
    const serviceCenter = await started();
    const dispose = serviceCenter.faults.hang();
    const arrived = arrival(serviceCenter);
    const hanging = outcome(ask(serviceCenter, 'GET /version'));
    await arrived;
    expect(serviceCenter.requests).toMatchObject([{ status: undefined }]);
    dispose();
    expect(await hanging).toBe('ECONNRESET');
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(200);
    expect(serviceCenter.requests).toMatchObject([{ status: undefined }, { status: 200 }]);
  });

  it('is not executed, unless it hangs afterwards', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    const hang = async (when: 'before' | 'after') => {
      const dispose = serviceCenter.faults.hang({ when });
      const arrived = arrival(serviceCenter);
      const hanging = outcome(ask(serviceCenter, `DELETE ${path}`));
      await arrived;
      dispose();
      await hanging;
      return serviceCenter.instances().length;
    };
    expect(await hang('before')).toBe(1);
    expect(await hang('after')).toBe(0);
  });
});

describe('a delay', () => {
  it('answers late and executes at once', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    const dispose = serviceCenter.faults.delay(3_600_000);
    const arrived = arrival(serviceCenter);
    const late = outcome(ask(serviceCenter, `DELETE ${path}`));
    await arrived;
    // The listener is called before the execution, which follows in the same turn.
    await Promise.resolve();
    expect(serviceCenter.instances()).toEqual([]);
    dispose();
    expect(await late).toBe(200);
  });

  it('ends by itself', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.delay(20);
    const startedAt = performance.now();
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19);
  });

  it('may put off the execution too', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    const dispose = serviceCenter.faults.delay(3_600_000, { when: 'before' });
    const arrived = arrival(serviceCenter);
    const late = outcome(ask(serviceCenter, `DELETE ${path}`));
    await arrived;
    await Promise.resolve();
    expect(serviceCenter.instances()).toHaveLength(1);
    dispose();
    expect(await late).toBe(200);
    expect(serviceCenter.instances()).toEqual([]);
  });

  it('is given up with the connection', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.delay(3_600_000);
    const arrived = arrival(serviceCenter);
    const late = outcome(ask(serviceCenter, 'GET /version'));
    await arrived;
    await serviceCenter.stop();
    expect(await late).toBe('ECONNRESET');
    await serviceCenter.faults.clear();
    expect(serviceCenter.requests).toMatchObject([{ status: undefined }]);
  });
});

describe('a reset', () => {
  it('is an error on the wire, where a hanging request that ends is a plain close', async () => {
    const serviceCenter = await started();
    const get = 'GET /version HTTP/1.1\r\nHost: h\r\n\r\n';
    const dispose = serviceCenter.faults.hang();
    const arrived = arrival(serviceCenter);
    const hanging = rawExchange(serviceCenter, get);
    await arrived;
    dispose();
    expect(await hanging).toBe('');
    serviceCenter.faults.reset();
    await expect(rawExchange(serviceCenter, get)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('breaks the connection and executes nothing, unless it comes afterwards', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    const dispose = serviceCenter.faults.reset();
    expect(await outcome(ask(serviceCenter, `DELETE ${path}`))).toBe('ECONNRESET');
    expect(serviceCenter.instances()).toHaveLength(1);
    dispose();
    serviceCenter.faults.reset({ when: 'after' });
    expect(await outcome(ask(serviceCenter, `DELETE ${path}`))).toBe('ECONNRESET');
    expect(serviceCenter.instances()).toEqual([]);
  });
});

describe('another answer', () => {
  it('may be an error of the registry, whose message is filled in', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.answer(500, { errorCode: 500_011, detail: 'etcd is down' });
    const { status, headers, text } = await ask(serviceCenter, 'GET /version');
    expect([status, headers['content-type']]).toEqual([500, 'application/json; charset=UTF-8']);
    expect(JSON.parse(text)).toEqual({
      errorCode: '500011',
      errorMessage: 'Registry service is unavailable',
      detail: 'etcd is down',
    });
  });

  it('may be an error with its own message, or an unknown code', async () => {
    const serviceCenter = await started();
    const told = async (body: { errorCode: number; errorMessage?: string }) => {
      const dispose = serviceCenter.faults.answer(400, body);
      const { text } = await ask(serviceCenter, 'GET /version');
      dispose();
      return JSON.parse(text);
    };
    expect(await told({ errorCode: 400_017, errorMessage: 'mine' })).toEqual({
      errorCode: '400017',
      errorMessage: 'mine',
    });
    expect(await told({ errorCode: 400_999 })).toEqual({ errorCode: '400999', errorMessage: '' });
  });

  it('may be any text of any type, with headers', async () => {
    const serviceCenter = await started();
    const page = '<h1>502 Bad Gateway</h1>';
    const match = { contentType: 'text/html', headers: { Via: 'proxy' }, times: 1 };
    serviceCenter.faults.answer(200, { instances: [] });
    serviceCenter.faults.answer(503, 'wait', { times: 2 });
    serviceCenter.faults.answer(502, page, match);
    expect(await ask(serviceCenter, 'GET /version')).toMatchObject({
      status: 502,
      text: page,
      headers: { 'content-type': 'text/html', via: 'proxy' },
    });
    expect(await ask(serviceCenter, 'GET /version')).toMatchObject({
      status: 503,
      text: 'wait',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
    await ask(serviceCenter, 'GET /version');
    expect((await ask(serviceCenter, 'GET /version')).text).toBe('{"instances":[]}');
  });

  it('stands in for the execution, unless it comes afterwards', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    serviceCenter.faults.answer(500, 'no', { times: 1 });
    expect(await outcome(ask(serviceCenter, `DELETE ${path}`))).toBe(500);
    expect(serviceCenter.instances()).toHaveLength(1);
    serviceCenter.faults.answer(500, 'no', { times: 1, when: 'after' });
    expect(await outcome(ask(serviceCenter, `DELETE ${path}`))).toBe(500);
    expect(serviceCenter.instances()).toEqual([]);
  });
});

describe('a fault', () => {
  it('hits what its match says: operation, method and path together', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    const status = (line: string) => outcome(ask(serviceCenter, line));
    serviceCenter.faults.answer(501, '', { operation: 'heartbeat' });
    serviceCenter.faults.answer(502, '', { method: 'delete', path: /instances\/own$/g });
    expect(await status(`PUT ${path}/heartbeat`)).toBe(501);
    expect(await status(`GET ${path}`)).toBe(200);
    expect(await status('DELETE /microservices/orders')).toBe(400);
    expect(await status(`DELETE ${path}`)).toBe(502);
    expect(await status(`DELETE ${path}`)).toBe(502);
    expect(await status('GET /nothing')).toBe(404);
  });

  it('is spent after as many requests as it says', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.answer(503, '', { times: 2 });
    const statuses = [];
    for (let request = 0; request < 3; request += 1)
      statuses.push(await outcome(ask(serviceCenter, 'GET /version')));
    expect(statuses).toEqual([503, 503, 200]);
  });

  it('ends once, however often it is disposed of', async () => {
    const serviceCenter = await started();
    const dispose = serviceCenter.faults.answer(503, '');
    dispose();
    dispose();
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(200);
  });
});

describe('refusing connections', () => {
  it('closes the port and all connections until it ends, on the same port', async () => {
    const serviceCenter = await started();
    const path = await registered(serviceCenter);
    serviceCenter.faults.hang({ method: 'GET' });
    const arrived = arrival(serviceCenter);
    const hanging = outcome(ask(serviceCenter, 'GET /version'));
    await arrived;
    const listen = await serviceCenter.faults.refuse();
    expect(await hanging).toBe('ECONNRESET');
    expect(await outcome(ask(serviceCenter, `PUT ${path}/heartbeat`))).toBe('ECONNREFUSED');
    await listen();
    await listen();
    expect(await outcome(ask(serviceCenter, `PUT ${path}/heartbeat`))).toBe(200);
  });

  it('opens nothing at its end when the server was stopped meanwhile', async () => {
    const serviceCenter = await started();
    const listen = await serviceCenter.faults.refuse();
    await serviceCenter.stop();
    await listen();
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe('ECONNREFUSED');
  });

  it('is overruled by a start', async () => {
    const serviceCenter = await started();
    await serviceCenter.faults.refuse();
    await serviceCenter.start();
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(200);
  });
});

describe('clearing', () => {
  it('ends every fault, lets go of what they hold, and listens again', async () => {
    const serviceCenter = await started();
    serviceCenter.faults.answer(503, '');
    serviceCenter.faults.hang({ times: 1 });
    const arrived = arrival(serviceCenter);
    const hanging = outcome(ask(serviceCenter, 'GET /version'));
    await arrived;
    await serviceCenter.faults.clear();
    expect(await hanging).toBe('ECONNRESET');
    await serviceCenter.faults.refuse();
    await serviceCenter.faults.clear();
    expect(await outcome(ask(serviceCenter, 'GET /version'))).toBe(200);
  });
});
