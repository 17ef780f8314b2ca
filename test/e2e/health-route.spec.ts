import { describe, expect } from '@jest/globals';
import {
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  Inject,
  Injectable,
  SetMetadata,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, NestFactory, Reflector } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  Registration,
  RegistryHealthModule,
  type RegistryHealthOptions,
  RegistryModule,
} from '../../lib/index.js';
import { type Cleanup, LogLines, rootModule, track } from '../support/test-app.js';
import { concurrently } from '../support/concurrently.js';

const Public = () => SetMetadata('isPublic', true);

/** A guard as the documentation of Nest has it: nobody gets in but to what is public. */
@Injectable()
class LoginGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    return this.reflector.getAllAndOverride<boolean | undefined>('isPublic', targets) === true;
  }
}

const guard = { providers: [{ provide: APP_GUARD, useClass: LoginGuard }] };

interface Host {
  readonly name: string;
  readonly adapter: () => ExpressAdapter | FastifyAdapter;
}

const hosts: readonly Host[] = [
  { name: 'Express', adapter: () => new ExpressAdapter() },
  { name: 'Fastify', adapter: () => new FastifyAdapter() },
];

async function startOn(
  host: Host,
  cleanup: Cleanup,
  options: RegistryHealthOptions,
  configure: (app: INestApplication) => unknown,
): Promise<INestApplication> {
  const log = new LogLines();
  const root = rootModule(RegistryModule.forRoot({ enabled: false }), {
    ...guard,
    imports: [RegistryHealthModule.forRoot(options)],
  });
  const app = await NestFactory.create(root, host.adapter(), { logger: log });
  configure(app);
  track(cleanup, app, log);
  await app.listen(0, '127.0.0.1');
  return app;
}

async function statusOf(
  app: INestApplication,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const reply = await fetch(`${await app.getUrl()}/${path}`, { headers });
  return reply.status;
}

describe.each(hosts)('the health route on $name', host => {
  concurrently('has no version in its path where URIs are versioned', async cleanup => {
    const decorators = [Public()];
    const app = await startOn(host, cleanup, { decorators }, each =>
      each.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    );
    expect(await statusOf(app, 'health')).toBe(200);
    expect(await statusOf(app, 'health/ready')).toBe(200);
  });

  concurrently('needs no version where a header has it', async cleanup => {
    const decorators = [Public()];
    const app = await startOn(host, cleanup, { decorators }, each =>
      each.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
    );
    expect(await statusOf(app, 'health')).toBe(200);
    expect(await statusOf(app, 'health/ready', { 'x-version': '2' })).toBe(200);
  });

  concurrently('is behind the global guard, unless a decorator exempts it', async cleanup => {
    const guarded = await startOn(host, cleanup, {}, () => undefined);
    const exempt = await startOn(host, cleanup, { decorators: [Public()] }, () => undefined);
    expect(await statusOf(guarded, 'health')).toBe(403);
    expect(await statusOf(exempt, 'health')).toBe(200);
    expect(await statusOf(exempt, 'health/ready')).toBe(200);
  });

  concurrently('is below the global prefix by default', async cleanup => {
    const decorators = [Public()];
    const app = await startOn(host, cleanup, { decorators }, each => each.setGlobalPrefix('api'));
    expect(await statusOf(app, 'api/health')).toBe(200);
    expect(await statusOf(app, 'health')).toBe(404);
  });

  concurrently('is free of the global prefix, and of guards, on wish', async cleanup => {
    const options = { path: 'ops/registry', globalPrefix: false };
    const app = await startOn(host, cleanup, options, each => {
      each.setGlobalPrefix('api');
      each.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
    });
    expect(await statusOf(app, 'ops/registry')).toBe(200);
    expect(await statusOf(app, 'ops/registry/ready', { 'x-version': '2' })).toBe(200);
    expect(await statusOf(app, 'api/ops/registry')).toBe(404);
  });

  concurrently('answers there as it does elsewhere', async cleanup => {
    const options = { globalPrefix: false, readyWhen: 'registered' } as const;
    const app = await startOn(host, cleanup, options, () => undefined);
    const reply = await fetch(`${await app.getUrl()}/health`);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await reply.json()).toMatchObject({ status: 'up', state: 'disabled' });
  });
});

describe('the health route without an HTTP server', () => {
  concurrently('does not keep a script from starting', async cleanup => {
    const root = rootModule(RegistryModule.forRoot({ enabled: false }), {
      imports: [RegistryHealthModule.forRoot({ globalPrefix: false })],
    });
    const settings = { logger: new LogLines(), abortOnError: false };
    const app = await NestFactory.createApplicationContext(root, settings);
    cleanup.add(() => app.close());
    expect(app.get(Registration).state).toBe('disabled');
  });
});
