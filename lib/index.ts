export {
  InstanceTakenOverError,
  NoInstanceError,
  isServiceCombError,
  RegistryOptionsError,
  SchemaMismatchError,
  ServiceCenterProtocolError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
  CredentialsError,
  ServiceCenterUnreachableError,
  ServiceCombError,
} from './errors.js';
export type {
  CallFailure,
  ErrorSummary,
  NoInstanceReason,
  OptionIssue,
  ProviderName,
  Refusal,
  SeenInstances,
  ServiceCombErrorCode,
} from './errors.js';
export { pickers } from './discovery/pickers.js';
export type { CallCounts } from './discovery/balancer.js';
export type { CallOutcome } from './discovery/call-outcome.js';
export type { Candidate, Endpoint, Picker, PickTurn } from './discovery/candidate.js';
export type {
  Attempt,
  FindOptions,
  PickOptions,
  ProviderCallOptions,
  ProviderChange,
  ProviderQuery,
} from './discovery/provider.js';
export type { PullCounts } from './discovery/puller.js';
export type {
  DiscoverySnapshot,
  InstanceSnapshot,
  ProviderSnapshot,
} from './discovery/snapshot.js';
export type {
  DiscoverySettings,
  EjectionSettings,
  ProviderSettings,
  ZoneUse,
} from './discovery/settings.js';
export { RegistryEvents } from './events.js';
export type {
  AddressIsolatedEvent,
  AddressRestoredEvent,
  DiscoveryChangedEvent,
  DiscoveryEmptiedEvent,
  DiscoveryFailedEvent,
  DiscoveryRecoveredEvent,
  DriftRepairedEvent,
  EndpointEjectedEvent,
  EndpointRestoredEvent,
  EventInstance,
  EventLoopStalledEvent,
  HeartbeatFailedEvent,
  HeartbeatRecoveredEvent,
  HeartbeatSucceededEvent,
  InstanceLostEvent,
  InstanceRegisteredEvent,
  InstanceReplacedEvent,
  InstanceTakenOverEvent,
  InstanceUnregisteredEvent,
  InstanceUnregisterFailedEvent,
  LeaseAtRiskEvent,
  ListedInstance,
  PropertiesChangedEvent,
  RecordRewrittenEvent,
  RegistrationBlockedEvent,
  RegistrationFailedEvent,
  EventContext,
  RegistryEvent,
  RegistryEventBase,
  RegistryEventMap,
  RegistryEventName,
  SchemasFailedEvent,
  SchemasUploadedEvent,
  ServiceRegisteredEvent,
  StatusChangedEvent,
  TokenRefusedEvent,
  TokenRenewalFailedEvent,
  TokenRenewedEvent,
  WatchLostEvent,
  WatchOpenedEvent,
} from './event-payloads.js';
export { type ByNameOptions, candidateOf } from './nest/by-name.adapter.js';
export {
  type DiscoveryHttpAsyncOptions,
  type DiscoveryHttpExtras,
  DiscoveryHttpModule,
  type DiscoveryHttpOptions,
  type DiscoveryHttpOptionsFactory,
  DiscoveryHttpService,
} from './nest/discovery-http.module.js';
export { Discovery } from './nest/discovery.js';
export { OnRegistryEvent } from './nest/on-registry-event.decorator.js';
export { Registration } from './nest/registration.js';
export { RegistryAdminModule } from './nest/registry.admin-module.js';
export type { RegistryAdminOptions, RegistryAdminReport } from './nest/registry.admin-module.js';
export { RegistryHealthIndicator } from './nest/registry.health.js';
export type { ReadinessOptions, RegistryHealth } from './nest/registry.health.js';
export { RegistryHealthModule } from './nest/registry.health-module.js';
export type { RegistryHealthOptions, RegistryHealthReport } from './nest/registry.health-module.js';
export type {
  RegistryModuleAsyncOptions,
  RegistryModuleExtras,
  RegistryOptionsFactory,
} from './nest/registry.module-definition.js';
export { RegistryModule } from './nest/registry.module.js';
export { remote, ServiceClient, type ServiceClientOptions } from './nest/service-client.js';
export { REGISTRY_HTTP_SERVICE, REGISTRY_MODULE_OPTIONS, REGISTRY_OPTIONS } from './nest/tokens.js';
export {
  type CallTracer,
  type RegistryTracer,
  type TracedAttempt,
  type TracedCall,
  Tracing,
} from './nest/tracing.js';
export type {
  DiscoveryOptions,
  EjectionOptions,
  HealthAnswer,
  HealthSource,
  HealthSourceToken,
  HeartbeatOptions,
  InstanceOptions,
  MicroserviceOptions,
  ProviderOptions,
  RegistrationOptions,
  AuthOptions,
  AxiosSettings,
  RegistryModuleOptions,
  RegistryProfile,
  SchemasOptions,
  SecretSource,
  ServiceCenterOptions,
  ServiceCenterTlsOptions,
  ShutdownOptions,
} from './options/options.js';
export type { ResolvedOptions } from './options/resolved-options.js';
export type { KnownAddress } from './protocol/address-book.js';
export type { CallOptions, RequestTracer, TracedRequest } from './protocol/channel.js';
export { ErrorCode } from './protocol/error-codes.js';
export { isRetriable } from './protocol/failures.js';
export type { BatchQuery } from './protocol/batch-find.js';
export {
  type BatchOptions,
  type ReadOptions,
  ServiceCenterClient,
} from './protocol/service-center.client.js';
export type {
  DataCenterInfo,
  Environment,
  FindQuery,
  Found,
  Framework,
  HealthCheck,
  HeartbeatResult,
  InstanceRef,
  InstanceStatus,
  Microservice,
  MicroserviceInstance,
  MicroserviceKey,
  MicroserviceLevel,
  Schema,
  ServiceCenterVersion,
  StoredInstance,
} from './protocol/wire.js';
export type { SchemaDocuments } from './protocol/schema-documents.js';
export type { SchemasSnapshot } from './registration/schemas.js';
export type {
  HealthStatus,
  ReadyWhen,
  RegistrationSnapshot,
  RegistrationState,
} from './registration/state.js';
export { version } from './version.js';
