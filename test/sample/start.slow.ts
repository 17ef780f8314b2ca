import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { SampleProcess, endAll, eventually, freePorts, get, takePort } from './sample-process.js';

jest.setTimeout(60_000);

const hello = 'http://127.0.0.1:3000/hello?name=Ada';
const running = /Both services listen/;

describe('npm start', () => {
  beforeEach(() => freePorts(3000, 3001, 3002, 3003, 30_100));
  afterEach(endAll);

  it('answers through the greeter within 5 s, and says with which URL', async () => {
    const startedAt = performance.now();
    const sample = new SampleProcess('start');

    const answered = await eventually('a greeting', async () => {
      const { status, body } = await get(hello);
      return status === 200 ? body : undefined;
    });

    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(answered).toMatchObject({
      message: 'Hello, Ada!',
      endpoint: 'rest://127.0.0.1:3001',
    });
    expect(sample.output).toContain(hello);
    expect(sample.output).toContain('http://127.0.0.1:30100/-/');
  });

  it('serves the health of both services', async () => {
    const sample = new SampleProcess('start');
    await sample.prints(/greeter is in the registry[^]*caller is in|caller is in[^]*greeter is in/);

    for (const port of [3000, 3001])
      expect(await get(`http://127.0.0.1:${port}/health`)).toMatchObject({
        status: 200,
        body: { status: 'ok', details: { registry: { status: 'up', state: 'registered' } } },
      });
  });

  const pressCtrlC = (sample: SampleProcess) => sample.pressCtrlC();
  const terminate = (sample: SampleProcess) => sample.kill('SIGTERM');
  it.each([
    ['Ctrl-C', 'start', pressCtrlC],
    ['SIGTERM to the first process alone', 'start', terminate],
    ['Ctrl-C, which npm passes on once more', 'npm start', pressCtrlC],
    ['SIGTERM to npm alone', 'npm start', terminate],
  ] as const)('removes both instances and ends with 0 at %s', async (_, program, ask) => {
    const sample = new SampleProcess(program);
    await sample.prints(/greeter is in the registry/);
    await sample.prints(/caller is in the registry/);
    await sample.prints(running);

    ask(sample);

    expect(await sample.exitCode()).toBe(0);
    expect(sample.output).toContain('greeter left the registry');
    expect(sample.output).toContain('caller left the registry');
    expect(sample.stdout.at(-1)).toContain('stopped, nobody was listed any more');
    expect(sample.stderr.filter(line => !line.startsWith('npm '))).toEqual([]);
  });

  it('starts three greeters, and the caller goes on with two when one is killed', async () => {
    const sample = new SampleProcess('start', { GREETERS: '3' });
    const [, pid] = await sample.prints(/kill -9 (\d+) +greeter1 dies/);
    const endpoints = [3001, 3002, 3003].map(port => `rest://127.0.0.1:${port}`);
    expect(await endpointsOf(6)).toEqual(new Set(endpoints));

    process.kill(Number(pid), 'SIGKILL');
    await sample.prints(/greeter1 ended by itself: SIGKILL\. The caller goes on/);

    expect(await endpointsOf(6)).toEqual(new Set(endpoints.slice(1)));
    expect(await get('http://127.0.0.1:3000/instances')).toMatchObject({
      body: expect.arrayContaining([
        { endpoints: endpoints.slice(0, 1), status: 'UP', setAsideForMs: expect.any(Number) },
      ]),
    });
    sample.pressCtrlC();
    expect(await sample.exitCode()).toBe(0);
    expect(sample.stdout.at(-1)).toContain('stopped, 1 still listed');
    expect(sample.stderr).toEqual([]);
  });

  /** The endpoints that answered so many calls. */
  async function endpointsOf(calls: number): Promise<ReadonlySet<unknown>> {
    const endpoints = new Set();
    for (let call = 0; call < calls; call++) {
      const { body } = await get(hello);
      endpoints.add(Reflect.get(Object(body), 'endpoint'));
    }
    return endpoints;
  }

  it.each([
    ['greeter', 3001, '1'],
    ['greeter', 3003, '3'],
    ['caller', 3000, '1'],
  ])(
    'ends with 1 and one clear error when the port of the %s is taken: %d',
    async (name, port, greeters) => {
      const taken = await takePort(port);
      try {
        const sample = new SampleProcess('start', { GREETERS: greeters });

        expect(await sample.exitCode()).toBe(1);
        expect(sample.stderr).toEqual([
          `The ${name} cannot start: port ${port} of 127.0.0.1 is taken; free it, or choose another, ` +
            `as in: ${name.toUpperCase()}_PORT=${port + 100} npm start`,
        ]);
        expect(sample.stdout.at(-1)).toContain('nobody was listed any more');
      } finally {
        await taken.release();
      }
    },
  );

  it('ends with 1 and one clear error when the port of Service Center is taken', async () => {
    const taken = await takePort(30_100);
    try {
      const sample = new SampleProcess('start');

      expect(await sample.exitCode()).toBe(1);
      expect(sample.stdout).toEqual([]);
      expect(sample.stderr).toEqual([
        expect.stringMatching(
          /127\.0\.0\.1:30100: .* in use.*REGISTRY_PORT=30200 npm start\..*SERVICE_CENTER_ADDRESS=.* npm start$/,
        ),
      ]);
    } finally {
      await taken.release();
    }
  });

  it('runs on the ports that its advice names', async () => {
    const sample = new SampleProcess('start', {
      REGISTRY_PORT: '0',
      GREETER_PORT: '0',
      CALLER_PORT: '0',
    });
    const [, url = ''] = await sample.prints(/curl '(http:\/\/127\.0\.0\.1:\d+)\/hello/);

    expect(url).not.toBe('http://127.0.0.1:3000');
    expect(sample.output).toMatch(/greeter is in the registry[^]*Both services listen/);
    expect(await get(`${url}/hello?name=Ada`)).toMatchObject({ body: { message: 'Hello, Ada!' } });
  });

  it.each(['0', '10', 'many'])('starts nothing with GREETERS=%s', async count => {
    const sample = new SampleProcess('start', { GREETERS: count });

    expect(await sample.exitCode()).toBe(1);
    expect(sample.stdout).toEqual([]);
    expect(sample.stderr).toEqual([`GREETERS must be a whole number from 1 to 9, got "${count}"`]);
  });

  it('ends with 1 and one clear error when an option is wrong', async () => {
    const sample = new SampleProcess('start', { HEARTBEAT_INTERVAL_MS: 'soon' });

    expect(await sample.exitCode()).toBe(1);
    expect(sample.stderr).toEqual([
      expect.stringMatching(/heartbeat\.intervalMs must be a whole number .*, got NaN$/),
    ]);
  });
});

describe('npm start with SERVICE_CENTER_ADDRESS', () => {
  let registry: EmbeddedServiceCenter;
  beforeEach(async () => {
    await freePorts(3000, 3001);
    registry = new EmbeddedServiceCenter({ port: 0 });
    await registry.start();
  });
  afterEach(async () => {
    await endAll();
    await registry.stop();
  });

  const endpoints = () => registry.instances().flatMap(({ endpoints = [] }) => endpoints);
  const bothListed = () =>
    eventually('two instances', () => (registry.instances().length === 2 ? true : undefined));

  it('uses that registry and starts none', async () => {
    const sample = new SampleProcess('start', { SERVICE_CENTER_ADDRESS: registry.url });
    await bothListed();

    expect(new Set(endpoints())).toEqual(
      new Set(['rest://127.0.0.1:3000', 'rest://127.0.0.1:3001']),
    );
    expect(await get('http://127.0.0.1:30100/v4/default/registry/version')).toMatchObject({
      status: 0,
    });

    sample.pressCtrlC();
    expect(await sample.exitCode()).toBe(0);
    expect(endpoints()).toEqual([]);
  });

  it('heeds project, domain and interval, and not what is meant for one service', async () => {
    const sample = new SampleProcess('start', {
      SERVICE_CENTER_ADDRESS: registry.url,
      SERVICE_CENTER_PROJECT: 'blue',
      SERVICE_CENTER_DOMAIN: 'acme',
      HEARTBEAT_INTERVAL_MS: '7000',
      PORT: '4000',
      SERVICE_NAME: 'both',
      INSTANCE_ID: 'twin',
    });
    await bothListed();
    await sample.prints(running);

    for (const instance of registry.instances()) {
      expect(instance).toMatchObject({ project: 'blue', domain: 'acme' });
      expect(instance.healthCheck?.interval).toBe(7);
      expect(instance.instanceId).not.toBe('twin');
    }
    const bodies = registry.requests.map(({ body }) => body);
    expect(bodies.join()).not.toContain('both');
  });

  it('leaves the registry even when the first process is killed', async () => {
    const sample = new SampleProcess('start', { SERVICE_CENTER_ADDRESS: registry.url });
    await bothListed();
    await sample.prints(running);

    sample.kill('SIGKILL');

    await eventually('an empty registry', () => (endpoints().length === 0 ? true : undefined));
  });
});
