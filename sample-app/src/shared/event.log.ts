import { Inject, Injectable } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import {
  type InstanceRegisteredEvent,
  type InstanceUnregisteredEvent,
  OnRegistryEvent,
  type RegistryEventBase,
  RegistryEvents,
} from 'nestjs-servicecomb';

/** Shows what the library tells: every event as one line, and two of them in words. */
@Injectable()
export class EventLog {
  constructor(@Inject(EventEmitter2) emitter: EventEmitter2) {
    // For all events at once. Real code rather subscribes to the few that it acts on, as below.
    emitter.onAny((name: string | string[], event: RegistryEventBase) => {
      console.log(`${timeOf(event)} ${String(name)} ${detailsOf(event)}`.trimEnd());
    });
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

function timeOf({ at }: RegistryEventBase): string {
  return new Date(at).toTimeString().slice(0, 8);
}

/** The fields that differ from event to event, as `name=value`. */
function detailsOf(event: RegistryEventBase): string {
  return Object.entries(event)
    .filter(([name]) => name !== 'at' && name !== 'instance')
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(' ');
}

function shown(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  if (typeof value === 'number') return String(Math.round(value));
  const text = JSON.stringify(value) ?? 'none';
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
