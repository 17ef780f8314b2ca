// A CommonJS application on Nest 11 and terminus 11 that uses the packed library; prints what it saw.
require('reflect-metadata');
const { Controller, Get, Inject, Module } = require('@nestjs/common');
const { HttpService } = require('@nestjs/axios');
const { NestFactory } = require('@nestjs/core');
const { EventEmitter2, EventEmitterModule } = require('@nestjs/event-emitter');
const { ScheduleModule } = require('@nestjs/schedule');
const { HealthCheckService, TerminusModule } = require('@nestjs/terminus');
const {
  Discovery,
  DiscoveryHttpModule,
  Registration,
  RegistryAdminModule,
  RegistryHealthIndicator,
  RegistryModule,
  remote,
  ServiceClient,
} = require('nestjs-servicecomb');
const { RegistryTracingModule } = require('nestjs-servicecomb/tracing');
const { EmbeddedServiceCenter } = require('embedded-service-center');

class HealthController {
  constructor(health, registry) {
    this.health = health;
    this.registry = registry;
  }

  check() {
    return this.health.check([() => this.registry.isHealthy('registry')]);
  }
}
Inject(HealthCheckService)(HealthController, undefined, 0);
Inject(RegistryHealthIndicator)(HealthController, undefined, 1);
const check = Object.getOwnPropertyDescriptor(HealthController.prototype, 'check');
Get()(HealthController.prototype, 'check', check);
Controller('health')(HealthController);

class GreeterClient {
  check() {
    return remote();
  }
}
const remoteCheck = Object.getOwnPropertyDescriptor(GreeterClient.prototype, 'check');
Get('health')(GreeterClient.prototype, 'check', remoteCheck);
ServiceClient('consumer')(GreeterClient);

/** Calls itself by name in two ways, and sees an instance come that the registry tells of. */
async function discover(app, registry, next) {
  const opened = next('servicecomb.watch.opened');
  const answer = await app.get(HttpService).axiosRef.get('http://consumer/health');
  const byClient = await app.get(GreeterClient).check();
  await opened;
  const grown = new Promise(resolve => {
    app
      .get(Discovery)
      .watch('consumer')
      .subscribe(({ added, instances }) => {
        if (instances.length === 2) resolve(added.map(({ hostName }) => hostName));
      });
  });
  const [own] = registry.instances();
  const path = `/v4/default/registry/microservices/${own.serviceId}/instances`;
  const body = JSON.stringify({ instance: { hostName: 'another', endpoints: own.endpoints } });
  const reply = await fetch(`${registry.url}${path}`, { method: 'POST', body });
  const added = await grown;
  registry.forget((await reply.json()).instanceId);
  return { byName: answer.data.status, byClient: byClient.status, added };
}

async function main() {
  const registry = new EmbeddedServiceCenter({ port: 0, minIntervalMs: 1_000 });
  const { url } = await registry.start();
  class AppModule {}
  Module({
    controllers: [HealthController],
    imports: [
      TerminusModule,
      ScheduleModule.forRoot(),
      EventEmitterModule.forRoot(),
      RegistryAdminModule.forRoot({ unguarded: true }),
      RegistryTracingModule.forRoot(),
      DiscoveryHttpModule.register(),
      DiscoveryHttpModule.forFeature([GreeterClient]),
      RegistryModule.forRoot({
        serviceCenter: { addresses: [url] },
        heartbeat: { intervalMs: 1_000 },
      }),
    ],
  })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  const emitter = app.get(EventEmitter2);
  const events = [];
  emitter.onAny(name => events.push(name));
  const next = name => new Promise(resolve => emitter.once(name, resolve));
  const health = async () => {
    const reply = await fetch(`${await app.getUrl()}/health`);
    const { status, degraded } = (await reply.json()).details.registry;
    return { http: reply.status, status, degraded };
  };

  const setStatus = async status => {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'PUT', headers, body: JSON.stringify({ status }) };
    const reply = await fetch(`${await app.getUrl()}/registry/status`, request);
    const { status: now, message } = await reply.json();
    return { http: reply.status, now: now ?? message };
  };

  await app.listen(0, '127.0.0.1');
  await app.get(Registration).register();
  await next('servicecomb.heartbeat.succeeded');
  const up = await health();
  const discovered = await discover(app, registry, next);
  const byHand = [await setStatus('OUTOFSERVICE'), await setStatus('GONE')];
  registry.faults.answer(500, 'away', { operation: 'heartbeat' });
  await next('servicecomb.heartbeat.failed');
  const degraded = await health();
  await app.get(Registration).leave();
  const down = await health();
  await app.close();
  const listed = registry.instances().length;
  const seen = [...new Set(events)];
  console.log(JSON.stringify({ up, discovered, byHand, degraded, down, events: seen, listed }));
  await registry.stop();
}

void main();
