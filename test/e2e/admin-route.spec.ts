import { describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  SetMetadata,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, NestFactory, Reflector } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  Discovery,
  RegistryAdminModule,
  type RegistryAdminOptions,
  RegistryModule,
  type RegistryModuleOptions,
} from '../../lib/index.js';
import {
  type Cleanup,
  LogLines,
  optionsFor,
  rootModule,
  startRegistry,
  track,
} from '../support/test-app.js';
import { concurrently } from '../support/concurrently.js';
import { codeBlocksOf } from '../support/docs.js';

class Keys {
  readonly valid = 'let-me-in';
}

@Module({ providers: [Keys], exports: [Keys] })
class KeysModule {}

/** A guard with a dependency, which asks for a role that the controller may name. */
@Injectable()
class KeyGuard implements CanActivate {
  constructor(
    @Inject(Keys) private readonly keys: Keys,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const role = this.reflector.get<string | undefined>('role', context.getClass()) ?? 'anybody';
    const { headers } = context.switchToHttp().getRequest();
    return headers['x-key'] === this.keys.valid && role !== 'nobody';
  }
}

class DenyAll implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

const open = { unguarded: true } as const;

const hosts = [
  { name: 'Express', adapter: () => new ExpressAdapter() },
  { name: 'Fastify', adapter: () => new FastifyAdapter() },
] as const;

interface Setting {
  readonly host?: (typeof hosts)[number];
  readonly admin?: RegistryAdminOptions;
  readonly registry?: RegistryModuleOptions;
  readonly guard?: typeof DenyAll;
  readonly configure?: (app: INestApplication) => unknown;
}

async function start(cleanup: Cleanup, setting: Setting) {
  const { host = hosts[0], admin = open, registry = { enabled: false }, guard } = setting;
  const log = new LogLines();
  const root = rootModule(RegistryModule.forRoot(registry), {
    imports: [RegistryAdminModule.forRoot(admin)],
    providers: guard === undefined ? [] : [{ provide: APP_GUARD, useClass: guard }],
  });
  const app = await NestFactory.create(root, host.adapter(), { logger: log, abortOnError: false });
  setting.configure?.(app);
  const tracked = track(cleanup, app, log);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const ask = async (method: string, path: string, body?: unknown, headers: object = {}) => {
    const hasBody = body !== undefined;
    const reply = await fetch(`${url}/${path}`, {
      method,
      headers: { ...(hasBody && { 'content-type': 'application/json' }), ...headers },
      ...(hasBody && { body: JSON.stringify(body) }),
    });
    return { status: reply.status, headers: reply.headers, body: await reply.json() };
  };
  const setStatus = (status: unknown, headers?: object) =>
    ask('PUT', 'registry/status', { status }, headers);
  return { ...tracked, ask, setStatus };
}

/** Starts an application on a registry of its own, and waits for its lease. */
async function startRegistered(cleanup: Cleanup, setting: Setting = {}) {
  const registry = await startRegistry(cleanup);
  // A busy machine keeps the lease.
  const patience = { heartbeat: { intervalMs: 15_000 }, serviceCenter: { timeoutMs: 5_000 } };
  const options = optionsFor(registry.url, patience);
  const started = await start(cleanup, { ...setting, registry: options });
  await started.events.nth('servicecomb.instance.registered');
  const listed = () => registry.instances().map(({ status }) => status);
  return { ...started, registry, listed };
}

/** The fields of a JSON value; of an array, those of its first element. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return 'value';
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
}

describe.each(hosts)('the routes for operators on $name', host => {
  concurrently('report what is known of registration and discovery', async cleanup => {
    const { ask, registration } = await startRegistered(cleanup, { host });
    const reply = await ask('GET', 'registry');
    expect(reply.status).toBe(200);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const { instanceId } = registration.snapshot();
    expect(reply.body).toMatchObject({
      status: 'UP',
      registration: { state: 'registered', instanceId, lastError: null },
      discovery: { watching: false, providers: [] },
    });
  });

  concurrently('have the fields of the documented report', async cleanup => {
    const { ask, app } = await startRegistered(cleanup, { host });
    await app.get(Discovery).find('orders');
    const { body } = await ask('GET', 'registry');
    const documented = codeBlocksOf('docs/status-by-hand.md').find(
      ({ language }) => language === 'json',
    );
    expect(shapeOf(body)).toEqual(shapeOf(JSON.parse(documented?.code ?? '')));
  });

  concurrently('take the instance out of service and back', async cleanup => {
    const { setStatus, listed, ask } = await startRegistered(cleanup, { host });
    const out = await setStatus('OUTOFSERVICE');
    expect(out).toMatchObject({
      status: 200,
      body: { status: 'OUTOFSERVICE', registration: { state: 'registered' } },
    });
    expect(out.headers.get('cache-control')).toBe('no-store');
    expect(listed()).toEqual(['OUTOFSERVICE']);
    expect(await ask('GET', 'registry')).toMatchObject({ body: { status: 'OUTOFSERVICE' } });
    expect(await setStatus('UP')).toMatchObject({ status: 200, body: { status: 'UP' } });
    expect(listed()).toEqual(['UP']);
  });

  concurrently('refuse a body without a status that exists', async cleanup => {
    const { setStatus, ask, listed } = await startRegistered(cleanup, { host });
    const allowed = 'UP, DOWN, STARTING, TESTING, OUTOFSERVICE';
    const wrong = [
      ['out-of-service', '"out-of-service"'],
      [undefined, 'undefined'],
      [['UP'], 'an array'],
      ['x'.repeat(5_000), `"${'x'.repeat(80)}…"`],
    ] as const;
    for (const [status, shown] of wrong)
      expect(await setStatus(status)).toMatchObject({
        status: 400,
        body: { message: `status must be one of ${allowed}, got ${shown}` },
      });
    expect(await ask('PUT', 'registry/status')).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining(`with one of ${allowed}, got `) },
    });
    expect(listed()).toEqual(['UP']);
  });

  concurrently('answer 502 with the error when the registry refuses', async cleanup => {
    const { setStatus, registry, registration } = await startRegistered(cleanup, { host });
    const refusal = { operation: 'setInstanceStatus' } as const;
    registry.faults.answer(
      400,
      { errorCode: '400001', errorMessage: 'Invalid parameter(s)' },
      refusal,
    );
    expect(await setStatus('OUTOFSERVICE')).toMatchObject({
      status: 502,
      body: {
        statusCode: 502,
        error: 'Bad Gateway',
        code: 'ERR_SERVICECOMB_RESPONSE',
        errorCode: 400_001,
        message: expect.stringContaining('Service Center refused "setInstanceStatus"'),
      },
    });
    expect(registration.status).toBe('UP');
  });

  concurrently('let nobody in whom a guard keeps out', async cleanup => {
    const admin = { guards: [KeyGuard], imports: [KeysModule] };
    const { ask, setStatus, registration } = await startRegistered(cleanup, { host, admin });
    expect(await ask('GET', 'registry')).toMatchObject({ status: 403 });
    expect(await setStatus('OUTOFSERVICE')).toMatchObject({ status: 403 });
    expect(registration.status).toBe('UP');
    const key = { 'x-key': 'let-me-in' };
    expect(await setStatus('OUTOFSERVICE', key)).toMatchObject({ status: 200 });
  });

  concurrently('have the decorators, and are behind a guard that exists', async cleanup => {
    const admin = {
      guards: [KeyGuard],
      imports: [KeysModule],
      decorators: [SetMetadata('role', 'nobody')],
    };
    const decorated = await start(cleanup, { host, admin });
    const key = { 'x-key': 'let-me-in' };
    expect(await decorated.ask('GET', 'registry', undefined, key)).toMatchObject({ status: 403 });
    const instance = await start(cleanup, { host, admin: { guards: [new DenyAll()] } });
    expect(await instance.ask('GET', 'registry')).toMatchObject({ status: 403 });
  });

  concurrently('are behind the global guard and below the prefix', async cleanup => {
    const configure = (app: INestApplication) => {
      app.setGlobalPrefix('api', { exclude: ['ops/{*rest}'] });
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    };
    const guarded = await start(cleanup, { host, configure, guard: DenyAll });
    expect(await guarded.ask('GET', 'api/registry')).toMatchObject({ status: 403 });
    const admin = { ...open, path: 'ops/registry' };
    const excluded = await start(cleanup, { host, configure, admin });
    expect(await excluded.ask('PUT', 'ops/registry/status', {})).toMatchObject({ status: 400 });
  });
});

describe('the status of an instance that is not registered', () => {
  concurrently('stays as it is, 503, while the instance waits for the registry', async cleanup => {
    const registry = await startRegistry(cleanup);
    registry.faults.answer(500, 'away');
    const app = await start(cleanup, { registry: optionsFor(registry.url) });
    await app.events.nth('servicecomb.registration.failed');
    expect(await app.setStatus('OUTOFSERVICE')).toMatchObject({
      status: 503,
      body: { message: expect.stringContaining('not registered (registering)') },
    });
    expect(app.registration.status).toBe('UP');
  });

  concurrently('stays as it is, 409, while nothing is to be registered', async cleanup => {
    const { setStatus, registration } = await start(cleanup, {});
    expect(await setStatus('OUTOFSERVICE')).toMatchObject({
      status: 409,
      body: {
        message: 'The instance is not registered (disabled), and its status is unchanged',
      },
    });
    expect(registration.status).toBe('UP');
  });

  concurrently('stays as it is, 409, once the instance has left', async cleanup => {
    const { setStatus, registration } = await startRegistered(cleanup);
    await registration.leave();
    expect(await setStatus('OUTOFSERVICE')).toMatchObject({ status: 409 });
  });
});

describe('routes for operators without a guard', () => {
  it('exist only on explicit demand', () => {
    const options = { path: 'RegistryAdminModule: guards' };
    for (const written of [{}, { guards: [] }, { guards: [], unguarded: false }])
      expect(() => RegistryAdminModule.forRoot(written)).toThrow(
        expect.objectContaining({
          code: 'ERR_SERVICECOMB_OPTIONS',
          issues: [expect.objectContaining(options)],
          message: expect.stringContaining('unguarded: true'),
        }),
      );
    const both = { guards: [DenyAll], unguarded: true };
    expect(() => RegistryAdminModule.forRoot(both)).toThrow('leave out one of the two');
  });
});
