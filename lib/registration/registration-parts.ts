import type { EventContext, RegistryFact } from '../events/events.js';
import type { Channel } from '../protocol/channel.js';
import type { ServiceCenterClient } from '../protocol/service-center.client.js';
import type { Clock } from './clock.js';
import type { Pace } from './pace.js';

/** What a registration works with. */
export interface RegistrationParts {
  readonly client: ServiceCenterClient;
  /** What the client sends through: knows the addresses, and who asks. */
  readonly caller: Pick<Channel, 'addresses' | 'probe' | 'credentials'>;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Told what happened, and to whom and when, after the state has changed. Must not throw. */
  readonly publish: (fact: RegistryFact, context: EventContext) => void;
  /** Told in words what somebody should change. Must not throw. */
  readonly warn: (message: string) => void;
}

/** How a registration behaves. */
export interface RegistrationSettings {
  readonly enabled: boolean;
  /** Heartbeats between two read-backs; 0 for none. */
  readonly verifyEvery: number;
  /** Whether a refusal ends the wait of `register()`. */
  readonly failFast: boolean;
  /** Bounds `leave()`. */
  readonly leaveTimeoutMs: number;
}
