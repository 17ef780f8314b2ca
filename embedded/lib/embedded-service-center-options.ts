import type { Clock } from './clock.js';
import type { ProfileOverrides, Profile } from './profiles/profile.js';
import type { QuotaOptions } from './model/quotas.js';
import type { Oddities } from './model/oddities.js';
import type { RbacOptions } from './rbac/rbac.js';
import type { TlsOptions } from './server/tls.js';

/** How an embedded Service Center is set up. */
export interface EmbeddedServiceCenterOptions {
  /**
   * Port to listen on; 0 takes any free one, and keeps it from then on.
   *
   * @default 30100
   */
  readonly port?: number | undefined;
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** @default the time of this machine */
  readonly clock?: Clock | undefined;
  /**
   * Milliseconds to which a shorter heartbeat interval is raised, in whole seconds; below 1,000
   * there is no floor, and the shortest interval is the wire's own, a second.
   *
   * @default 5000
   */
  readonly minIntervalMs?: number | undefined;
  /**
   * Number of missed heartbeats to which a lesser one is raised. A lease lasts
   * interval × (times + 1).
   *
   * @default 3
   */
  readonly minTimes?: number | undefined;
  /** How much it takes before it answers 400100. @default those of a real server */
  readonly quotas?: QuotaOptions | undefined;
  /** Asks for tokens and permissions. @default nobody is asked for anything */
  readonly rbac?: RbacOptions | undefined;
  /** Speaks HTTPS, and no plain HTTP. @default plain HTTP */
  readonly tls?: TlsOptions | undefined;
  /**
   * Which Service Center it passes for: a named set of what `form` says one by one.
   *
   * @default 'open-source'
   */
  readonly profile?: Profile | undefined;
  /** In what it differs from its profile. @default nothing */
  readonly profileOverrides?: ProfileOverrides | undefined;
  /**
   * Milliseconds between pings on the WebSocket of a heartbeat, from 1,000 to 3,600,000; what lies
   * outside counts as the default. A watcher is pinged every 30 s whatever this says.
   *
   * @default 30000
   */
  readonly heartbeatPingIntervalMs?: number | undefined;
  /**
   * How it is to differ in time from a registry that is always right; `'realistic'` has it lag, lose
   * and forget as a real one does. They may be changed while it runs.
   *
   * @default none
   */
  readonly oddities?: 'realistic' | Oddities | undefined;
}
