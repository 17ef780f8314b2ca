import { describe, expect, it } from '@jest/globals';
import axios, {
  AxiosError,
  AxiosHeaders,
  type AxiosRequestConfig,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { CallOptions } from '../../../lib/discovery/balancer.js';
import type { Candidate } from '../../../lib/discovery/candidate.js';
import type { EndingAttempt } from '../../../lib/discovery/deadlines.js';
import type { ProviderQuery } from '../../../lib/discovery/provider.js';
import { NoInstanceError } from '../../../lib/errors.js';
import { byNameAdapter, candidateOf } from '../../../lib/nest/by-name.adapter.js';

function candidateAt(host: string, prefix = ''): Candidate {
  const text = `rest://${host}:3000`;
  return {
    instance: { instanceId: host, serviceId: 's', hostName: host, endpoints: [text] },
    endpoint: { text, scheme: 'rest', host, port: 3_000, isSecure: false, prefix },
    url: `http://${host}:3000`,
    pending: 0,
    latencyMs: undefined,
  };
}

type Action = (candidate: Candidate, attempt: EndingAttempt) => Promise<unknown>;

/** Calls by name over a network that answers what a test says, with candidates that a test chooses. */
class Harness {
  readonly sent: InternalAxiosRequestConfig[] = [];
  readonly asked: { readonly query: unknown; readonly options: CallOptions | undefined }[] = [];
  readonly closed: string[] = [];
  readonly deadline = new AbortController();
  candidates: readonly Candidate[] = [candidateAt('10.0.0.7')];
  needsNewConnection = false;
  /** Answers a request, the nth of all. */
  answer: (config: InternalAxiosRequestConfig, nth: number) => unknown = () => 'hello';
  context: (() => Record<string, string> | undefined) | undefined;
  refuse: (() => unknown) | undefined;
  readonly httpAgent = { kind: 'ours' };

  readonly instance = axios.create({
    adapter: config =>
      byNameAdapter({
        core: { call: (query, action, options) => this.#call(query, action, options) },
        send: request => this.#send(request),
        agents: {
          httpAgent: this.httpAgent as never,
          httpsAgent: this.httpAgent as never,
          closeIdleTo: (host, port) => this.closed.push(`${host}:${port}`),
        },
        ownName: 'caller',
        context: this.context,
      })(config),
  });

  async get(url: string, config: AxiosRequestConfig = {}) {
    return this.instance.get<unknown>(url, config);
  }

  get urls() {
    return this.sent.map(({ url }) => url);
  }

  get #attempt(): Omit<EndingAttempt, 'number'> {
    const { deadline, needsNewConnection } = this;
    const { signal } = deadline;
    return { signal, endSignal: signal, remainingMs: 1_000, needsNewConnection };
  }

  async #call(
    query: string | ProviderQuery,
    action: Action,
    options: CallOptions | undefined,
  ): Promise<never> {
    this.asked.push({ query, options });
    const refused = this.refuse?.();
    if (refused !== undefined) throw refused;
    let thrown: unknown;
    for (const [index, candidate] of this.candidates.entries())
      try {
        return (await action(candidate, { ...this.#attempt, number: index + 1 })) as never;
      } catch (error) {
        thrown = error;
      }
    throw thrown;
  }

  async #send(config: InternalAxiosRequestConfig) {
    // It is put back when the call has ended.
    this.sent.push({ ...config });
    const data = await this.answer(config, this.sent.length);
    return { data, status: 200, statusText: 'OK', headers: {}, config, request: {} };
  }
}

function refused(config: InternalAxiosRequestConfig): never {
  throw new AxiosError('connect ECONNREFUSED', 'ECONNREFUSED', config);
}

describe('a request by name', () => {
  it('goes to an instance, with path and query as they were written', async () => {
    const harness = new Harness();
    const { data } = await harness.get('http://Greeter_1.v2/a//b/../%2f?x=%20&y#z');
    expect(data).toBe('hello');
    expect(harness.asked[0]?.query).toBe('Greeter_1.v2');
    expect(harness.urls).toEqual(['http://10.0.0.7:3000/a//b/../%2f?x=%20&y#z']);
  });

  it.each([
    ['http://greeter', 'hello', 'http://10.0.0.7:3000/hello'],
    ['http://Greeter/api/', '/hello', 'http://10.0.0.7:3000/api/hello'],
    ['http://greeter/api', '', 'http://10.0.0.7:3000/api'],
    ['http://10.9.9.9:1', 'http://greeter/hello', 'http://10.0.0.7:3000/hello'],
  ])('may be relative to %s: %s', async (baseURL, url, expected) => {
    const harness = new Harness();
    await harness.get(url, { baseURL });
    expect(harness.urls).toEqual([expected]);
    expect(harness.sent[0]?.baseURL).toBe('');
  });

  it('is put below a base that no absolute URL replaces', async () => {
    const harness = new Harness();
    const baseURL = 'http://greeter/proxy';
    await harness.get('http://other/hello', { baseURL, allowAbsoluteUrls: false });
    expect(harness.urls).toEqual(['http://10.0.0.7:3000/proxy/http://other/hello']);
  });

  it('takes the credentials of the URL to the instance, where axios reads them', async () => {
    const harness = new Harness();
    const { config } = await harness.get('http://user:p$&w@greeter/hello');
    expect(harness.asked[0]?.query).toBe('greeter');
    expect(harness.urls).toEqual(['http://user:p$&w@10.0.0.7:3000/hello']);
    expect(config.url).toBe('http://user:p$&w@greeter/hello');
  });

  it('has the prefix of the endpoint', async () => {
    const harness = new Harness();
    harness.candidates = [candidateAt('10.0.0.7', '/api')];
    await harness.get('http://greeter/hello');
    expect(harness.urls).toEqual(['http://10.0.0.7:3000/api/hello']);
  });

  it.each(['http://greeter:3000/', 'http://127.0.0.1/', 'http://localhost/', '/relative'])(
    'is not one that goes to %s, which is passed on untouched',
    async url => {
      const harness = new Harness();
      harness.context = () => ({ tenant: 'a' });
      const answer = await harness.get(url);
      expect(harness.asked).toEqual([]);
      expect(harness.urls).toEqual([url]);
      expect(harness.sent[0]).not.toHaveProperty('httpAgent');
      expect(Object.keys(harness.sent[0]?.headers ?? {})).not.toContain('x-cse-context');
      expect(candidateOf(answer)).toBeUndefined();
    },
  );

  it('is not one that goes over a Unix socket, whatever its host says', async () => {
    const harness = new Harness();
    await harness.get('http://docker/info', { socketPath: '/run/docker.sock' });
    expect(harness.asked).toEqual([]);
    expect(harness.urls).toEqual(['http://docker/info']);
  });

  it('asks for any endpoint with http, and for a secure one with https', async () => {
    const harness = new Harness();
    for (const scheme of ['http', 'https', 'cse', 'servicecomb'])
      await harness.get(`${scheme}://greeter/`);
    expect(harness.asked.map(({ options }) => options?.scheme)).toEqual([
      undefined,
      'https',
      undefined,
      undefined,
    ]);
  });

  it.each([
    ['get', true],
    ['HEAD', true],
    ['options', true],
    ['post', false],
    ['put', false],
    ['delete', false],
  ])('may arrive twice: %s %s', async (method, isSafe) => {
    const harness = new Harness();
    await harness.instance.request({ url: 'http://greeter/', method });
    expect(harness.asked[0]?.options).toMatchObject({ isSafe, isOnce: false });
  });

  it('is never repeated when its body is a stream', async () => {
    const harness = new Harness();
    const data = { pipe: () => undefined };
    await harness.instance.post('http://greeter/', data, { transformRequest: [body => body] });
    expect(harness.asked[0]?.options).toMatchObject({ isOnce: true });
  });

  it('passes on what the user says of it, another provider too', async () => {
    const harness = new Harness();
    const provider = { serviceName: 'billing', appId: 'finance' };
    const options = { key: 'k', versionRule: '1.0.0+', idempotent: true, retries: 3 };
    await harness.get('http://charges/', { timeout: 2_000, byName: { ...options, provider } });
    expect(harness.asked).toEqual([
      {
        query: provider,
        options: expect.objectContaining({ ...options, timeoutMs: 2_000 }),
      },
    ]);
  });

  it('has 30 s unless it says otherwise, and no deadline of axios', async () => {
    const harness = new Harness();
    const ofEnvironment: object = { timeout: '70' };
    const written = [{}, { timeout: 0 }, { timeout: 70 }, ofEnvironment, { timeout: Infinity }];
    for (const config of written) await harness.get('http://greeter/', config);
    expect(harness.asked.map(({ options }) => options?.timeoutMs)).toEqual([
      30_000,
      30_000,
      70,
      70,
      Infinity,
    ]);
    expect(new Set(harness.sent.map(({ timeout }) => timeout))).toEqual(new Set([0]));
  });

  it('has the options of its module beneath its own', async () => {
    const harness = new Harness();
    harness.instance.defaults.byName = { retries: 3, idempotent: true };
    await harness.get('http://greeter/', { byName: { retries: 0, key: 'k' } });
    expect(harness.asked[0]?.options).toMatchObject({ retries: 0, idempotent: true, key: 'k' });
  });

  it('uses no proxy of the environment, and our agents, unless the user brings some', async () => {
    const harness = new Harness();
    const proxy = { host: 'proxy', port: 1 };
    const httpsAgent = { kind: 'theirs' };
    const httpAgent = { kind: 'theirs, too' };
    await harness.get('http://greeter/');
    await harness.get('http://greeter/', { proxy, httpsAgent });
    await harness.get('http://greeter/', { httpAgent });
    const [first, second, third] = harness.sent;
    expect(first).toMatchObject({
      proxy: false,
      httpAgent: harness.httpAgent,
      httpsAgent: harness.httpAgent,
    });
    expect(second).toMatchObject({ proxy, httpAgent: harness.httpAgent, httpsAgent });
    expect(third).toMatchObject({ httpAgent, httpsAgent: harness.httpAgent });
  });

  it('goes over a new connection where a kept one was closed', async () => {
    const harness = new Harness();
    await harness.get('http://greeter/');
    harness.needsNewConnection = true;
    await harness.get('http://greeter/');
    expect(harness.closed).toEqual(['10.0.0.7:3000']);
  });
});

describe('the answer to a request by name', () => {
  it('has the URL as the user wrote it, and tells who answered', async () => {
    const harness = new Harness();
    const answer = await harness.get('http://greeter/hello', { params: { a: 1 } });
    expect(answer.config).toMatchObject({ url: 'http://greeter/hello', params: { a: 1 } });
    expect(answer.config.baseURL).toBeUndefined();
    expect(candidateOf(answer)).toBe(harness.candidates[0]);
    expect(Object.keys(answer)).not.toContain('Symbol(nestjs-servicecomb.candidate)');
  });

  it('is transformed once, after interceptors that run once, whatever is repeated below', async () => {
    const harness = new Harness();
    const order: string[] = [];
    harness.candidates = [candidateAt('10.0.0.7'), candidateAt('10.0.0.8')];
    harness.answer = (config, nth) => (nth === 1 ? refused(config) : '{"a":1}');
    harness.instance.interceptors.request.use(config => {
      order.push('request');
      return config;
    });
    harness.instance.interceptors.response.use(answer => {
      order.push('response');
      return answer;
    });
    const transformRequest = (data: unknown) => {
      order.push('transform');
      return JSON.stringify(data);
    };
    const { data } = await harness.instance.post('http://greeter/', { b: 2 }, { transformRequest });
    expect(order).toEqual(['request', 'transform', 'response']);
    expect(harness.sent.map(sent => sent.data)).toEqual(['{"b":2}', '{"b":2}']);
    expect(data).toEqual({ a: 1 });
  });

  it('is an AxiosError with the URL as the user wrote it when all attempts failed', async () => {
    const harness = new Harness();
    harness.candidates = [candidateAt('10.0.0.7'), candidateAt('10.0.0.8')];
    harness.answer = config => refused(config);
    const error: unknown = await harness
      .get('http://greeter/hello')
      .catch((thrown: unknown) => thrown);
    expect(axios.isAxiosError(error) && error.config?.url).toBe('http://greeter/hello');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(candidateOf(error)).toBe(harness.candidates[1]);
  });

  it('has the URL in the answer of an error, too', async () => {
    const harness = new Harness();
    harness.answer = config => {
      const headers = new AxiosHeaders();
      const response = { status: 503, statusText: '', headers, data: '', config, request: {} };
      throw new AxiosError('status 503', 'ERR_BAD_RESPONSE', config, {}, response);
    };
    const error: unknown = await harness
      .get('http://greeter/hello')
      .catch((thrown: unknown) => thrown);
    const response = axios.isAxiosError(error) ? error.response : undefined;
    expect(response?.config.url).toBe('http://greeter/hello');
    expect(candidateOf(response)).toBe(harness.candidates[0]);
  });

  it('is a NoInstanceError when nobody has this name, which says how to call a host', async () => {
    const harness = new Harness();
    const provider = { environment: '', appId: 'default', serviceName: 'example.com' };
    const seen = { registered: 0, up: 0, fitting: 0 };
    harness.refuse = () => new NoInstanceError(provider, 'unknown-provider', seen);
    await expect(harness.get('http://example.com/')).rejects.toMatchObject({
      code: 'ERR_SERVICECOMB_NO_INSTANCE',
      reason: 'unknown-provider',
      message: expect.stringMatching(/inject the HttpService of HttpModule$/),
    });
    expect(harness.sent).toEqual([]);
  });

  it.each([
    ['that says more already', 'unknown-provider', 'The module is switched off'],
    ['of a provider that is known', 'none-up', undefined],
  ] as const)('leaves a NoInstanceError %s', async (_, reason, advice) => {
    const harness = new Harness();
    const provider = { environment: '', appId: 'default', serviceName: 'greeter' };
    const seen = { registered: 1, up: 0, fitting: 0 };
    const error = new NoInstanceError(provider, reason, seen, advice);
    harness.refuse = () => error;
    await expect(harness.get('http://greeter/')).rejects.toBe(error);
    expect(candidateOf(error)).toBeUndefined();
  });

  it.each([
    [{}, 'timeout of 30000ms exceeded', 'ECONNABORTED'],
    [{ timeout: 70 }, 'timeout of 70ms exceeded', 'ECONNABORTED'],
    [{ transitional: { clarifyTimeoutError: true } }, 'timeout of 30000ms exceeded', 'ETIMEDOUT'],
    [{ timeoutErrorMessage: 'too late' }, 'too late', 'ECONNABORTED'],
  ])('is the timeout of axios, for %j, when the time is up', async (config, message, code) => {
    const harness = new Harness();
    harness.answer = () => {
      throw new DOMException('late', 'TimeoutError');
    };
    const error: unknown = await harness
      .get('http://greeter/', config)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AxiosError);
    expect(error).toMatchObject({ message, code, config: { url: 'http://greeter/' } });
    expect(candidateOf(error)).toBe(harness.candidates[0]);
  });

  it('is the cancellation of axios when its signal is aborted', async () => {
    const harness = new Harness();
    const controller = new AbortController();
    harness.answer = () => {
      controller.abort(new Error('a reason of the user'));
      throw controller.signal.reason;
    };
    const call = harness.get('http://greeter/', { signal: controller.signal });
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    expect(axios.isCancel(error)).toBe(true);
    expect(harness.asked[0]?.options?.signal).toBe(controller.signal);
  });

  it('is sent to nobody else once the call has ended', async () => {
    const harness = new Harness();
    harness.candidates = [candidateAt('10.0.0.7'), candidateAt('10.0.0.8')];
    harness.answer = config => {
      harness.deadline.abort(new DOMException('too late', 'TimeoutError'));
      return refused(config);
    };
    await expect(harness.get('http://greeter/')).rejects.toMatchObject({
      code: 'ECONNABORTED',
      config: { url: 'http://greeter/' },
    });
    expect(harness.urls).toEqual(['http://10.0.0.7:3000/']);
  });

  it('is the cancellation of its token, and nothing is sent then', async () => {
    const harness = new Harness();
    const { token, cancel } = axios.CancelToken.source();
    harness.refuse = () => cancel('stop');
    const call = harness.get('http://greeter/', { cancelToken: token });
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    expect(axios.isCancel(error)).toBe(true);
    expect(harness.sent).toEqual([]);
  });

  it('may be aborted by a signal of another implementation', async () => {
    const harness = new Harness();
    const listeners: (() => void)[] = [];
    const signal = {
      aborted: false,
      addEventListener: (_: string, listener: () => void) => void listeners.push(listener),
      removeEventListener: () => undefined,
    };
    await harness.get('http://greeter/', { signal });
    const passed = harness.asked[0]?.options?.signal;
    expect(passed?.aborted).toBe(false);
    for (const listener of listeners) listener();
    expect(passed?.aborted).toBe(true);
  });

  it('is aborted with the call, unless it is a stream whose headers are there', async () => {
    const harness = new Harness();
    const user = new AbortController();
    await harness.get('http://greeter/');
    await harness.get('http://greeter/', { responseType: 'stream' });
    await harness.get('http://greeter/', { responseType: 'stream', signal: user.signal });
    harness.deadline.abort();
    const aborted = () => harness.sent.map(({ signal }) => signal?.aborted);
    expect(aborted()).toEqual([true, false, false]);
    user.abort();
    expect(aborted()).toEqual([true, false, true]);
  });

  it('is aborted with the call while the headers of a stream are awaited', async () => {
    const harness = new Harness();
    harness.answer = ({ signal }) => {
      harness.deadline.abort();
      return signal?.aborted;
    };
    const { data } = await harness.get('http://greeter/', { responseType: 'stream' });
    expect(data).toBe(true);
  });
});

describe('the headers of a request by name', () => {
  const ours = { 'x-cse-src-microservice': 'caller' };

  async function headersFor(config: AxiosRequestConfig, harness = new Harness()) {
    await harness.get('http://greeter/', config);
    return harness.sent[0]?.headers ?? new AxiosHeaders();
  }

  it('tell who calls', async () => {
    const headers = await headersFor({});
    expect(JSON.parse(String(headers.get('x-cse-context')))).toEqual(ours);
  });

  it.each([
    ['{"x-cse-src-microservice":"other","tenant":"ä\\n"}', { tenant: 'ä\n', ...ours }],
    ['{}', ours],
  ])('add it to what is there: %s', async (written, merged) => {
    const headers = await headersFor({ headers: { 'X-Cse-Context': written } });
    const text = String(headers.get('x-cse-context'));
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(text)).toEqual(merged);
  });

  it.each(['', 'no JSON', '[]', 'null', '"text"'])('leave what is no object: %j', async written => {
    const headers = await headersFor({ headers: { 'x-cse-context': written } });
    expect(headers.get('x-cse-context')).toBe(written);
  });

  it("are those of the context beneath the user's, asked for once", async () => {
    const harness = new Harness();
    let asked = 0;
    harness.candidates = [candidateAt('10.0.0.7'), candidateAt('10.0.0.8')];
    harness.answer = (config, nth) => (nth === 1 ? refused(config) : '');
    harness.context = () => {
      asked += 1;
      return { Tenant: 'context', traceparent: '00-1', 'x-cse-context': '{"tenant":"context"}' };
    };
    await headersFor({ headers: { tenant: 'user' } }, harness);
    for (const { headers } of harness.sent) {
      expect(headers.get('tenant')).toBe('user');
      expect(headers.get('traceparent')).toBe('00-1');
      expect(JSON.parse(String(headers.get('x-cse-context')))).toEqual({
        tenant: 'context',
        ...ours,
      });
    }
    expect(asked).toBe(1);
  });

  it('are not those of an earlier attempt, to which axios adds', async () => {
    const harness = new Harness();
    harness.candidates = [candidateAt('10.0.0.7'), candidateAt('10.0.0.8')];
    harness.answer = (config, nth) => {
      if (nth > 1) return '';
      config.headers.set('x-added', 'by the wire');
      return refused(config);
    };
    const answer = await harness.get('http://greeter/');
    expect(harness.sent[1]?.headers.has('x-added')).toBe(false);
    expect(answer.config.headers.has('x-cse-context')).toBe(false);
  });
});
