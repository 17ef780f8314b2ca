/** A program of a user, as ES modules and as CommonJS. */
export const consumer = `
  import { Injectable, Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { EventEmitterModule } from '@nestjs/event-emitter';
  import { ScheduleModule } from '@nestjs/schedule';
  import { EmbeddedServiceCenter } from 'embedded-service-center';
  import {
    type HeartbeatFailedEvent,
    isServiceCombError,
    OnRegistryEvent,
    Registration,
    type RegistrationSnapshot,
    RegistryEvents,
    RegistryHealthModule,
    RegistryModule,
    ServiceCenterClient,
  } from 'nestjs-servicecomb';
  export { RegistryMetricsModule } from 'nestjs-servicecomb/metrics';
  export { RegistryTracingModule } from 'nestjs-servicecomb/tracing';

  @Injectable()
  export class Watcher {
    constructor(readonly registration: Registration, readonly client: ServiceCenterClient) {}

    @OnRegistryEvent(RegistryEvents.HeartbeatFailed)
    warn({ failures, error }: HeartbeatFailedEvent): number {
      return isServiceCombError(error) ? failures : 0;
    }

    snapshot(): RegistrationSnapshot {
      return this.registration.snapshot();
    }
  }

  @Module({
    imports: [
      ScheduleModule.forRoot(),
      EventEmitterModule.forRoot(),
      RegistryHealthModule.forRoot(),
      RegistryModule.forRoot({
        serviceCenter: { domain: process.env['DOMAIN'] },
        heartbeat: { intervalMs: 15_000 },
      }),
    ],
    providers: [Watcher],
  })
  export class AppModule {}

  export const application = NestFactory.create(AppModule);

  export const registry: Promise<{ readonly url: string }> = new EmbeddedServiceCenter({
    port: 0,
  }).start();
`;

/** The same application without the packages of this repository. */
export const peersAlone = `
  import { Injectable, Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { EventEmitterModule } from '@nestjs/event-emitter';
  import { ScheduleModule } from '@nestjs/schedule';

  @Injectable()
  export class Watcher {}

  @Module({
    imports: [ScheduleModule.forRoot(), EventEmitterModule.forRoot()],
    providers: [Watcher],
  })
  export class AppModule {}

  export const application = NestFactory.create(AppModule);
`;
