import { Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import { RegistryModule } from 'nestjs-servicecomb';
import { registryOptions } from '../shared/environment.js';
import { EventLog } from '../shared/event.log.js';
import { HealthModule } from '../shared/health.module.js';
import { CallerController } from './caller.controller.js';
import { GreeterClient } from './greeter.client.js';
import { GreeterInstances } from './greeter-instances.js';

@Module({
  imports: [
    ScheduleModule.forRoot(), // the heartbeat is one of its intervals
    EventEmitterModule.forRoot({ wildcard: true }), // carries the events
    HealthModule,
    RegistryModule.forRoot(registryOptions('caller')), // imported last: leaves first
  ],
  controllers: [CallerController],
  providers: [EventLog, GreeterInstances, GreeterClient],
})
export class CallerModule {}
