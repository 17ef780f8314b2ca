export type { ApiAnswer } from './api/answer.js';
export type { ApiRequest } from './api/call.js';
export type { Clock } from './clock.js';
export { RegistryDataError } from './data/registry-data.js';
export type {
  DependencyData,
  InstanceData,
  RegistryData,
  SchemaData,
  ServiceData,
} from './data/registry-data.js';
export { EmbeddedServiceCenter } from './embedded-service-center.js';
export type { EmbeddedServiceCenterOptions } from './embedded-service-center-options.js';
export type { ProfileSettings, ProfileOverrides, Profile } from './profiles/profile.js';
export type {
  FindTooSoon,
  HeartbeatTooSoon,
  LimitWarning,
  RegistrationThrottled,
  WarningListener,
} from './profiles/client-limits.js';
export type { RbacOptions, TokenSigner } from './rbac/rbac.js';
export type { RbacResource } from './rbac/permissions.js';
export type { TokenAlgorithm } from './rbac/json-web-token.js';
export type { QuotaOptions, Quotas } from './model/quotas.js';
export type { LiveInstance } from './model/registry-model.js';
export { realisticOddities } from './model/oddities.js';
export type { Oddities, OddityValues } from './model/oddities.js';
export type { OddityKnobs } from './model/oddities.js';
export type { FaultMatch, FrameAction, FrameMatch } from './server/fault.js';
export type { FaultBody, FaultError } from './server/fault-effects.js';
export type { FaultKind } from './server/fault.js';
export type {
  AnswerMatch,
  Dispose,
  FaultInfo,
  Faults,
  GarbageMatch,
  TrickleMatch,
  WatcherCut,
} from './server/faults.js';
export type { RecordedRequest } from './server/journal.js';
export type { TlsOptions } from './server/tls.js';
