import { Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import { DiscoveryHttpModule, RegistryModule } from 'nestjs-servicecomb';
import { registryOptions } from '../shared/environment.js';
import { EventLog } from '../shared/event.log.js';
import { HealthModule } from '../shared/health.module.js';
import { MetricsModule } from '../shared/metrics.module.js';
import { CallerController } from './caller.controller.js';
import { GreeterClient } from './greeter.client.js';

@Module({
  imports: [
    ScheduleModule.forRoot(), // the heartbeat is one of its intervals
    EventEmitterModule.forRoot({ wildcard: true }), // carries the events
    DiscoveryHttpModule.register({ timeout: 2_000 }), // an HttpService that calls services by name
    HealthModule,
    MetricsModule,
    RegistryModule.forRoot(registryOptions('caller')), // imported last: leaves first
  ],
  controllers: [CallerController],
  providers: [EventLog, GreeterClient],
})
export class CallerModule {}
