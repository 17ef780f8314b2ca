import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { RegistryModule } from '../../lib/index.js';
import { RegistryMetricsModule } from '../../lib/metrics/index.js';

// Prints what @willsoto/nestjs-prometheus serves. A process of its own, since jest cannot load that package.

@Module({
  imports: [
    ScheduleModule.forRoot(),
    EventEmitterModule.forRoot(),
    PrometheusModule.register(),
    RegistryMetricsModule.forRootAsync({ useFactory: () => ({ maxProviders: 10 }) }),
    RegistryModule.forRoot({ enabled: false }),
  ],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
const answer = await fetch(`${await app.getUrl()}/metrics`);
console.log(await answer.text());
await app.close();
