import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import {
  type InstanceRegisteredEvent,
  type InstanceUnregisteredEvent,
  OnRegistryEvent,
  type RegistryEvent,
  RegistryEvents,
} from 'nestjs-servicecomb';

/** Shows what the library tells: every event as one line, and two of them in words. */
@Injectable()
export class EventLog {
  /** All events at once. Real code rather subscribes to the few that it acts on, as below. */
  @OnEvent('servicecomb.**')
  show(event: RegistryEvent): void {
    console.log(`${timeOf(event)} ${event.name} ${detailsOf(event)}`.trimEnd());
  }

  /** The type of the parameter is checked against the name of the event. */
  @OnRegistryEvent(RegistryEvents.InstanceRegistered)
  sayHello({ instance, registrations }: InstanceRegisteredEvent): void {
    if (instance === undefined) return;
    const { serviceName, instanceId, endpoints } = instance;
    const again = registrations === 1 ? 'is in the registry' : 'is in the registry again';
    console.log(`${serviceName} ${again}: ${endpoints.join(', ')}, instance ${instanceId}`);
  }

  @OnRegistryEvent(RegistryEvents.InstanceUnregistered)
  sayGoodbye({ instance }: InstanceUnregisteredEvent): void {
    console.log(`${instance?.serviceName ?? 'The service'} left the registry`);
  }
}

function timeOf({ at }: RegistryEvent): string {
  return new Date(at).toTimeString().slice(0, 8);
}

/** The fields that every event has. */
const common = new Set(['name', 'at', 'instance']);

/** The fields that differ from event to event, as `field=value`. */
function detailsOf(event: RegistryEvent): string {
  return Object.entries(event)
    .filter(([field]) => !common.has(field))
    .map(([field, value]) => `${field}=${shown(value)}`)
    .join(' ');
}

function shown(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  if (typeof value === 'number') return String(Math.round(value));
  const text = JSON.stringify(value) ?? 'none';
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
