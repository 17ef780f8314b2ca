import type { Clock } from './clock.js';
import type { ProfileOverrides, Profile } from './profiles/profile.js';
import type { QuotaOptions } from './model/quotas.js';
import type { Oddities } from './model/oddities.js';
import type { RbacOptions } from './rbac/rbac.js';
import type { TlsOptions } from './server/tls.js';

/** Options of an embedded Service Center. */
export interface EmbeddedServiceCenterOptions {
  /**
   * Port to listen on; 0 chooses a free one, which is kept from then on.
   *
   * @default 30100
   */
  readonly port?: number | undefined;
  /**
   * Address to listen on.
   *
   * @default '127.0.0.1'
   */
  readonly host?: string | undefined;
  /**
   * Clock for leases, time stamps and pings.
   *
   * @default the clock of this machine
   */
  readonly clock?: Clock | undefined;
  /**
   * Milliseconds to which a shorter heartbeat interval is raised, in whole seconds. Below 1,000
   * there is no limit but the one second of the protocol.
   *
   * @default 5000
   */
  readonly minIntervalMs?: number | undefined;
  /**
   * Number of missed heartbeats to which a lower one is raised. A lease lasts interval × (times +
   * 1).
   *
   * @default 3
   */
  readonly minTimes?: number | undefined;
  /**
   * Limits beyond which it answers 400100.
   *
   * @default the limits of a real server
   */
  readonly quotas?: QuotaOptions | undefined;
  /**
   * Names of services that every application and environment finds, as with `CSE_SHARED_SERVICES` of
   * a real server: those of the application `default` and the environment `development` in
   * default/default. `SERVICECENTER` always is one.
   *
   * @default none
   */
  readonly sharedServices?: readonly string[] | undefined;
  /**
   * Requires tokens and checks permissions.
   *
   * @default no authentication
   */
  readonly rbac?: RbacOptions | undefined;
  /**
   * Serves HTTPS instead of HTTP.
   *
   * @default plain HTTP
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * Which Service Center to behave like: a named set of {@link ProfileSettings}.
   *
   * @default 'open-source'
   */
  readonly profile?: Profile | undefined;
  /**
   * Settings that differ from those of the profile.
   *
   * @default none
   */
  readonly profileOverrides?: ProfileOverrides | undefined;
  /**
   * Milliseconds between the pings on the WebSocket of a heartbeat, from 1,000 to 3,600,000; any
   * other value means the default. Watchers are always pinged every 30 s.
   *
   * @default 30000
   */
  readonly heartbeatPingIntervalMs?: number | undefined;
  /**
   * Delays and losses of a real registry; `'realistic'` turns on all that were measured. They can
   * be changed while the registry runs.
   *
   * @default none
   */
  readonly oddities?: 'realistic' | Oddities | undefined;
}
