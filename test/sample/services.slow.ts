import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { SampleProcess, endAll, eventually, get, takePort } from './sample-process.js';

jest.setTimeout(60_000);

describe('the sample’s services', () => {
  let registry: EmbeddedServiceCenter;
  beforeEach(async () => {
    registry = new EmbeddedServiceCenter({ port: 0 });
    await registry.start();
  });
  afterEach(async () => {
    await endAll();
    await registry.stop();
  });

  function start(name: 'greeter' | 'caller', env: Readonly<Record<string, string>> = {}) {
    return new SampleProcess(`${name}/main`, {
      PORT: '0',
      SERVICE_CENTER_ADDRESS: registry.url,
      ...env,
    });
  }

  async function listed(name: 'greeter' | 'caller', env: Readonly<Record<string, string>> = {}) {
    const service = start(name, env);
    await service.prints(/is in the registry/);
    return service;
  }

  async function endpointOf(greeter: SampleProcess): Promise<string> {
    return (await greeter.url()).replace('http', 'rest');
  }

  /** Names of the greeters that answered so many calls. */
  async function greetersOf(caller: SampleProcess, calls: number): Promise<unknown[]> {
    const url = await caller.url();
    const names: unknown[] = [];
    for (let call = 0; call < calls; call++) {
      const { body } = await get(`${url}/hello`);
      names.push(typeof body === 'object' && body !== null && 'from' in body ? body.from : body);
    }
    return names;
  }

  describe('calls', () => {
    it('go to all greeters in turn', async () => {
      await listed('greeter', { INSTANCE_ID: 'one' });
      await listed('greeter', { INSTANCE_ID: 'two' });
      const caller = await listed('caller');

      const names = await greetersOf(caller, 4);

      expect(new Set(names.slice(0, 2))).toEqual(new Set(['one', 'two']));
      expect(names.slice(2)).toEqual(names.slice(0, 2));
    });

    it('say which endpoint answered', async () => {
      const greeter = await listed('greeter', { INSTANCE_ID: 'one' });
      const caller = await listed('caller');

      expect(await get(`${await caller.url()}/hello?name=Ada`)).toEqual({
        status: 200,
        body: { message: 'Hello, Ada!', from: 'one', endpoint: await endpointOf(greeter) },
      });
    });

    it('are answered by another greeter when one has died', async () => {
      const dead = await listed('greeter', { INSTANCE_ID: 'dead' });
      await listed('greeter', { INSTANCE_ID: 'alive' });
      const caller = await listed('caller');
      dead.kill('SIGKILL');
      await dead.exitCode();

      expect(await greetersOf(caller, 4)).toEqual(['alive', 'alive', 'alive', 'alive']);
    });

    it('are balanced over greeters that are shown, and one that is set aside is shown as such', async () => {
      const dead = await listed('greeter');
      const alive = await listed('greeter');
      const caller = await listed('caller');
      const instances = `${await caller.url()}/instances`;
      const shown = async (greeter: SampleProcess, setAsideForMs: unknown) => ({
        endpoints: [await endpointOf(greeter)],
        status: 'UP',
        setAsideForMs,
      });
      const all = [await shown(dead, null), await shown(alive, null)];
      expect(await get(instances)).toEqual({ status: 200, body: expect.arrayContaining(all) });

      dead.kill('SIGKILL');
      await dead.exitCode();
      await greetersOf(caller, 2);

      const { body } = await get(instances);
      expect(body).toContainEqual(await shown(dead, expect.any(Number)));
      expect(body).toContainEqual(await shown(alive, null));
    });

    it('are answered 503 when the only greeter has died', async () => {
      const greeter = await listed('greeter');
      const endpoint = await endpointOf(greeter);
      const caller = await listed('caller');
      greeter.kill('SIGKILL');
      await greeter.exitCode();

      expect(await get(`${await caller.url()}/hello`)).toMatchObject({
        status: 503,
        body: { message: `The greeter at ${endpoint} does not answer: ECONNREFUSED` },
      });
    });

    it('are answered 503 when the only greeter has left', async () => {
      const greeter = await listed('greeter');
      const caller = await listed('caller');
      expect(await greetersOf(caller, 1)).toEqual([expect.any(String)]);
      greeter.kill('SIGTERM');
      await greeter.exitCode();

      // The first call may find the port closed: nobody takes a list that is suddenly empty for the truth.
      const hello = `${await caller.url()}/hello`;
      const answered = await eventually('no greeter', async () => {
        const { status, body } = await get(hello);
        expect(status).toBe(503);
        return JSON.stringify(body).includes('does not answer') ? undefined : body;
      });
      expect(answered).toMatchObject({
        message: 'No instance of "default/greeter" can be called: none is registered',
      });
    });

    it('are answered 503 when there has never been a greeter', async () => {
      const caller = await listed('caller');

      for (const path of ['/hello', '/instances'])
        expect(await get(`${await caller.url()}${path}`)).toMatchObject({
          status: 503,
          body: {
            message: expect.stringContaining(
              'No instance of "default/greeter" can be called: the registry does not know this service',
            ),
          },
        });
    });

    it('go on with the greeters that are known while the registry is away', async () => {
      await listed('greeter', { INSTANCE_ID: 'known' });
      const caller = await listed('caller');
      await greetersOf(caller, 1);
      await registry.stop();

      expect(await greetersOf(caller, 2)).toEqual(['known', 'known']);
    });
  });

  describe('the environment', () => {
    it('sets name, instance id, port, project, domain and interval', async () => {
      const taken = await takePort(0);
      const { port } = taken;
      await taken.release();
      await listed('greeter', {
        PORT: String(port),
        SERVICE_NAME: 'welcomer',
        INSTANCE_ID: 'pod-7',
        SERVICE_CENTER_PROJECT: 'blue',
        SERVICE_CENTER_DOMAIN: 'acme',
        HEARTBEAT_INTERVAL_MS: '6000',
      });

      const created = registry.requests.find(
        ({ operation }) => operation === 'registerMicroservice',
      );
      expect(created?.path).toBe('/v4/blue/registry/microservices');
      expect(created?.headers['x-domain-name']).toBe('acme');
      expect(created?.body).toContain('"serviceName":"welcomer"');
      expect(registry.instances()).toMatchObject([
        {
          instanceId: 'pod-7',
          endpoints: [`rest://127.0.0.1:${port}`],
          healthCheck: { interval: 6 },
        },
      ]);
    });

    it('is left to the defaults of the library where it is not set', async () => {
      await listed('greeter', { HEARTBEAT_INTERVAL_MS: '', SERVICE_NAME: ' ' });

      expect(registry.instances()).toMatchObject([
        { project: 'default', domain: 'default', healthCheck: { interval: 15 } },
      ]);
      expect(registry.requests.map(({ body }) => body).join()).toContain('"serviceName":"greeter"');
    });

    it.each([
      [{ HEARTBEAT_INTERVAL_MS: 'abc' }, 'heartbeat.intervalMs must be a whole number of seconds'],
      [{ SERVICE_CENTER_PROJECT: '..' }, 'serviceCenter.project must be'],
      [{ SERVICE_CENTER_ADDRESS: 'nowhere' }, 'serviceCenter.addresses must be'],
      [{ PORT: '70000' }, 'PORT must be a whole number from 0 to 65535, got "70000"'],
    ])('%j is refused in one sentence, with exit code 1', async (env, sentence) => {
      const greeter = start('greeter', env);

      expect(await greeter.exitCode()).toBe(1);
      expect(greeter.stdout).toEqual([]);
      expect(greeter.stderr).toEqual([expect.stringContaining(sentence)]);
    });
  });

  it('say in one sentence that their port is taken', async () => {
    const taken = await takePort(0);
    const { port } = taken;
    const caller = start('caller', { PORT: String(port) });

    expect(await caller.exitCode()).toBe(1);
    expect(caller.stderr).toEqual([expect.stringContaining(`port ${port} of 127.0.0.1 is taken`)]);
    await taken.release();
  });

  it.each(['greeter', 'caller'] as const)('leave at Ctrl-C, say so, and end with 0', async name => {
    const service = await listed(name);

    service.pressCtrlC();

    expect(await service.exitCode()).toBe(0);
    expect(service.stdout.slice(-2)).toContain(`${name} left the registry`);
    expect(registry.instances()).toEqual([]);
  });

  it('answer /health with 503 until they are registered', async () => {
    await registry.stop();
    const greeter = start('greeter');
    await greeter.prints(/registration\.failed/);
    await greeter.prints(/WARN.*Could not register/);
    const health = `${await greeter.url()}/health`;

    expect(await get(health)).toMatchObject({
      status: 503,
      body: { details: { registry: { status: 'down', state: 'registering' } } },
    });

    await registry.start();
    await eventually('a good health', async () =>
      (await get(health)).status === 200 ? true : undefined,
    );
  });

  it('log every event with its name and what it tells', async () => {
    const greeter = await listed('greeter', {
      HEARTBEAT_INTERVAL_MS: '1000',
      INSTANCE_ID: 'pod-7',
    });
    await greeter.prints(/servicecomb\.service\.registered serviceId="\w+" created=true$/m);
    await greeter.prints(/servicecomb\.instance\.registered registrations=1 leaseMs=20000$/m);
    await greeter.prints(/servicecomb\.heartbeat\.succeeded tookMs=\d+$/m);

    registry.forget('pod-7');
    await greeter.prints(
      /servicecomb\.instance\.lost reason="forgotten" foundBy="heartbeat" error=".*400017.*"/m,
    );
    await greeter.prints(/greeter is in the registry again/);

    await registry.stop();
    await greeter.prints(/servicecomb\.heartbeat\.failed error=".*unreachable.*" failures=1/);
    await registry.start();
    await greeter.prints(/servicecomb\.heartbeat\.recovered missed=\d+$/m);

    greeter.kill('SIGTERM');
    await greeter.prints(/servicecomb\.instance\.unregistered confirmed=true$/m);
  });
});

describe('the sample’s registry', () => {
  afterEach(endAll);

  it('listens on PORT and stops at Ctrl-C with 0', async () => {
    const registry = new SampleProcess('registry/main', { PORT: '0' });
    const url = await registry.url();
    expect(await get(`${url}/v4/default/registry/version`)).toMatchObject({ status: 200 });

    registry.pressCtrlC();

    expect(await registry.exitCode()).toBe(0);
    expect(registry.stdout.at(-1)).toBe('Service Center stopped');
  });

  it('says in one sentence that its port is taken', async () => {
    const taken = await takePort(0);
    const { port } = taken;
    const registry = new SampleProcess('registry/main', { PORT: String(port) });

    expect(await registry.exitCode()).toBe(1);
    expect(registry.stderr).toEqual([
      expect.stringMatching(
        new RegExp(
          `127\\.0\\.0\\.1:${port}: .*in use.*PORT=\\d+ npm run start:registry, .*SERVICE_CENTER_ADDRESS=`,
        ),
      ),
    ]);
    await taken.release();
  });
});
