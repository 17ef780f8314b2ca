import type { ServiceCombError } from '../errors.js';
import { type EventInstance, type RegistryFact, RegistryEvents } from '../events/events.js';
import { printable } from '../protocol/printable.js';

/** A line for the log, with its level. */
export type LogLine = readonly [level: 'log' | 'warn' | 'error' | 'debug', message: string];

type Trouble = Extract<
  RegistryFact,
  {
    name:
      | `${string}.failed`
      | `${string}.lost`
      | `${string}-failed`
      | `${string}.blocked`
      | `${string}.at-risk`
      | `${string}.repaired`
      | `${string}.isolated`
      | `${string}.stalled`
      | `${string}.refused`;
  }
>;

/**
 * The line that a fact deserves; undefined when it only repeats the one before. `log` is joined or
 * left, `warn` something to know, `error` something to do.
 */
export function logLineOf(fact: RegistryFact, instance?: EventInstance): LogLine | undefined {
  const who = instance === undefined ? 'this instance' : nameOf(instance);
  switch (fact.name) {
    case RegistryEvents.ServiceRegistered:
      return ['log', `${fact.payload.created ? 'Created' : 'Found'} the service of ${who}`];
    case RegistryEvents.InstanceRegistered:
      return ['log', `Registered ${who} at ${listOf(instance?.endpoints)}`];
    case RegistryEvents.InstanceReplaced:
      return ['log', `Replaced a stale record at ${listOf(fact.payload.previous.endpoints)}`];
    case RegistryEvents.InstanceUnregistered:
      return ['log', `Removed ${who}${fact.payload.confirmed ? '' : ', unconfirmed'}`];
    case RegistryEvents.StatusChanged:
      return ['log', `Status of ${who} is ${fact.payload.to}, was ${fact.payload.from}`];
    case RegistryEvents.HeartbeatSucceeded:
      return ['debug', `Heartbeat of ${who} answered in ${Math.round(fact.payload.tookMs)} ms`];
    case RegistryEvents.HeartbeatRecovered:
      return ['log', `Heartbeats of ${who} are answered again, ${fact.payload.missed} failed`];
    case RegistryEvents.TokenRenewed:
      return ['log', `Has a token of ${fact.payload.address} until ${fact.payload.expiresAt}`];
    case RegistryEvents.AddressRestored:
      return ['log', `Service Center at ${fact.payload.address} serves again`];
    case RegistryEvents.InstanceLost:
    case RegistryEvents.DriftRepaired:
    case RegistryEvents.AddressIsolated:
    case RegistryEvents.EventLoopStalled:
    case RegistryEvents.TokenRefused:
    case RegistryEvents.TokenRenewalFailed:
    case RegistryEvents.InstanceUnregisterFailed:
    case RegistryEvents.RegistrationFailed:
    case RegistryEvents.RegistrationBlocked:
    case RegistryEvents.HeartbeatFailed:
    case RegistryEvents.LeaseAtRisk:
      return troubleLine(fact, who);
  }
}

function troubleLine(fact: Trouble, who: string): LogLine | undefined {
  switch (fact.name) {
    case RegistryEvents.InstanceLost:
      return ['warn', `Lost the lease of ${who}, ${fact.payload.reason}${because(fact.payload)}`];
    case RegistryEvents.InstanceUnregisterFailed:
      return ['error', `${who} stays listed until its lease ends${because(fact.payload)}`];
    case RegistryEvents.RegistrationFailed:
      return firstOf(fact.payload, ['warn', `Could not register ${who}${because(fact.payload)}`]);
    case RegistryEvents.RegistrationBlocked: {
      const { retryInMs } = fact.payload;
      const next = retryInMs === null ? 'for good' : `trying again in ${Math.round(retryInMs)} ms`;
      return ['error', `Cannot register ${who}, ${next}${because(fact.payload)}`];
    }
    case RegistryEvents.HeartbeatFailed: {
      const left = Math.round(fact.payload.leaseRemainingMs);
      const message = `A heartbeat of ${who} failed, ${left} ms of the lease left`;
      return firstOf(fact.payload, ['warn', message + because(fact.payload)]);
    }
    case RegistryEvents.DriftRepaired:
      return ['warn', `Repaired the record of ${who}: ${fact.payload.fields.join(', ')}`];
    case RegistryEvents.AddressIsolated: {
      const { address } = fact.payload;
      return ['warn', `Leaving Service Center at ${address} alone${because(fact.payload)}`];
    }
    case RegistryEvents.TokenRefused: {
      const next = `no other one for ${Math.round(fact.payload.retryInMs / 1_000)} s`;
      return ['error', `The login was refused, ${next}${because(fact.payload)}`];
    }
    case RegistryEvents.TokenRenewalFailed: {
      const message = `Could not renew the token of ${fact.payload.address}, which serves until it ends`;
      return firstOf(fact.payload, ['warn', message + because(fact.payload)]);
    }
    case RegistryEvents.EventLoopStalled:
      return ['warn', `The process stood still for ${fact.payload.lateMs} ms`];
    case RegistryEvents.LeaseAtRisk: {
      const left = Math.round(fact.payload.leaseRemainingMs);
      return ['error', `The lease of ${who} ends in ${left} ms unless a heartbeat gets through`];
    }
  }
}

function firstOf({ failures }: { readonly failures: number }, line: LogLine): LogLine | undefined {
  return failures === 1 ? line : undefined;
}

function because({ error }: { readonly error: ServiceCombError | undefined }): string {
  return error === undefined ? '' : `: ${error.message}`;
}

function nameOf({ serviceName, version, instanceId }: EventInstance): string {
  return `${serviceName} ${version} (${instanceId})`;
}

function listOf(endpoints: readonly string[] = []): string {
  return endpoints.length === 0 ? 'no endpoint' : printable(endpoints.join(', '));
}
