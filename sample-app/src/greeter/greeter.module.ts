import { Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import { RegistryModule } from 'nestjs-servicecomb';
import { registryOptions } from '../shared/environment.js';
import { EventLog } from '../shared/event.log.js';
import { HealthModule } from '../shared/health.module.js';
import { MetricsModule } from '../shared/metrics.module.js';
import { GreeterController } from './greeter.controller.js';

@Module({
  imports: [
    ScheduleModule.forRoot(), // the heartbeat is one of its intervals
    EventEmitterModule.forRoot({ wildcard: true }), // carries the events
    HealthModule,
    MetricsModule,
    RegistryModule.forRoot(registryOptions('greeter')), // imported last: leaves first
  ],
  controllers: [GreeterController],
  providers: [EventLog],
})
export class GreeterModule {}
