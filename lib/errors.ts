const brand = Symbol.for('nestjs-servicecomb.error');

/** The stable code of each error class; the discriminant of {@link ServiceCombError}. */
export type ServiceCombErrorCode =
  | 'ERR_SERVICECOMB_OPTIONS'
  | 'ERR_SERVICECOMB_UNREACHABLE'
  | 'ERR_SERVICECOMB_TIMEOUT'
  | 'ERR_SERVICECOMB_RESPONSE'
  | 'ERR_SERVICECOMB_PROTOCOL'
  | 'ERR_SERVICECOMB_CREDENTIALS'
  | 'ERR_SERVICECOMB_TAKEN_OVER'
  | 'ERR_SERVICECOMB_SCHEMA_MISMATCH'
  | 'ERR_SERVICECOMB_NO_INSTANCE';

/**
 * The base class of every error that this library throws or puts into an event.
 *
 * Messages contain no password, no token and no whole body, so they are safe to log.
 */
export abstract class ServiceCombError extends Error {
  abstract readonly code: ServiceCombErrorCode;
  readonly [brand] = true;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  /** Returns everything but the stack and the cause, so that an event reads well in a JSON log. */
  toJSON(): object {
    return { name: this.name, message: this.message, ...Object.fromEntries(Object.entries(this)) };
  }
}

/** One invalid option: where it is, and what is wrong with it. */
export interface OptionIssue {
  /** Path of the option, such as `heartbeat.intervalMs`. */
  readonly path: string;
  /** The rule that is broken and the value, without the path. */
  readonly message: string;
}

/** The options are invalid. Thrown once, at boot, with every issue; nothing has been started then. */
export class RegistryOptionsError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_OPTIONS';

  constructor(
    readonly issues: readonly OptionIssue[],
    subject = 'registry options',
  ) {
    const sentences = issues.map(issue => `${issue.path} ${issue.message}`);
    super(`Invalid ${subject}: ${sentences.join('; ')}`);
  }
}

/** There is no connection to Service Center: refused, reset, no such host, a failure of TLS. */
export class ServiceCenterUnreachableError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_UNREACHABLE';
  /** How to correct it, where the reason tells: failures of TLS. */
  readonly advice: string | undefined;

  constructor(
    readonly operation: string,
    /** The addresses that were tried, in order. */
    readonly addresses: readonly string[],
    /** Code of the failure, such as `ECONNREFUSED`. */
    readonly reason: string,
    options: ErrorOptions & { readonly advice?: string | undefined } = {},
  ) {
    const { advice, ...rest } = options;
    const message = `Service Center is unreachable for "${operation}" at ${addresses.join(', ')}: ${reason}`;
    super(advice === undefined ? message : `${message}. ${advice}`, rest);
    this.advice = advice;
  }
}

/** Service Center did not send a complete answer within the deadline of the attempt. */
export class ServiceCenterTimeoutError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_TIMEOUT';

  constructor(
    readonly operation: string,
    readonly address: string,
    readonly timeoutMs: number,
  ) {
    super(`Service Center did not answer "${operation}" at ${address} within ${timeoutMs} ms`);
  }
}

/** The content of an answer that is not a success. */
export interface Refusal {
  readonly status: number;
  /** The registry's own number, if the answer had one. Compare with `ErrorCode`. */
  readonly errorCode?: number | undefined;
  readonly errorMessage?: string | undefined;
  readonly detail?: string | undefined;
  /** Milliseconds to wait, from the answer's Retry-After. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Service Center answered with an error, or with something that is as good as one: `status` is then 200.
 *
 * @example
 * try {
 *   await serviceCenter.getInstance(ref);
 * } catch (error) {
 *   const isResponse = error instanceof ServiceCenterResponseError;
 *   if (!isResponse || error.errorCode !== ErrorCode.InstanceNotExists) throw error;
 * }
 */
export class ServiceCenterResponseError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_RESPONSE';
  readonly status: number;
  readonly errorCode: number | undefined;
  readonly detail: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly operation: string,
    readonly address: string,
    refusal: Refusal,
  ) {
    super(
      refusal.status < 300
        ? `Service Center's answer to "${operation}" at ${address} counts as errorCode ` +
            `${refusal.errorCode}: ${describe({ ...refusal, errorCode: undefined })}`
        : `Service Center refused "${operation}" at ${address}: ${describe(refusal)}`,
    );
    this.status = refusal.status;
    this.errorCode = refusal.errorCode;
    this.detail = refusal.detail;
    this.retryAfterMs = refusal.retryAfterMs;
  }
}

function describe({ status, errorCode, errorMessage, detail }: Refusal): string {
  const code = errorCode === undefined ? '' : `, errorCode ${errorCode}`;
  const texts = [errorMessage, detail].filter(text => text !== undefined && text !== '');
  return `HTTP ${status}${code}${texts.length > 0 ? `: ${texts.join(' - ')}` : ''}`;
}

/** The answer does not come from Service Center: HTML, garbage, a body of the wrong shape. */
export class ServiceCenterProtocolError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_PROTOCOL';

  constructor(
    readonly operation: string,
    readonly address: string,
    readonly expected: string,
    /** The first characters of the answer. */
    readonly received: string,
  ) {
    super(
      `Service Center's answer to "${operation}" at ${address} is not ${expected}: ${JSON.stringify(received)}`,
    );
  }
}

/** There are no credentials to send a request with: their source in the application failed. */
export class CredentialsError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_CREDENTIALS';

  constructor(
    /** The option of `serviceCenter.auth` that they come from. */
    readonly source: 'token' | 'headers' | 'password' | 'passwordFile',
    /** The failure, in words without a secret. */
    readonly reason: string,
  ) {
    super(`No credentials for Service Center from serviceCenter.auth.${source}: ${reason}`);
  }
}

/** Another process has registered under the instanceId of this one, later than it did, and holds the id. */
export class InstanceTakenOverError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_TAKEN_OVER';

  constructor(
    readonly instanceId: string,
    /** Where the other process can be reached. */
    readonly endpoints: readonly string[],
  ) {
    const where = endpoints.length === 0 ? 'at no endpoint' : `at ${endpoints.join(', ')}`;
    super(
      `Another process ${where} has registered as ${instanceId}: stop one of the two, or give each process ` +
        'an instance.instanceId of its own',
    );
  }
}

/** The registry stores other content for schemas of this version of the service, and `schemas.onMismatch` is `fail`. */
export class SchemaMismatchError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_SCHEMA_MISMATCH';

  constructor(
    /** Ids of the schemas that differ. */
    readonly schemaIds: readonly string[],
  ) {
    super(
      `Service Center stores another content for ${schemaIds.join(', ')} of this version: raise ` +
        'microservice.version, or set schemas.onMismatch to "overwrite" or "ignore"',
    );
  }
}

/** A provider: the service, in all its versions, whose instances are asked for. */
export interface ProviderName {
  readonly environment: string;
  readonly appId: string;
  readonly serviceName: string;
}

/**
 * Why no instance of a provider can be called. `unknown-provider`: the registry has no such service.
 * `none-registered`: it has, without instances. The others name what the instances lack.
 */
export type NoInstanceReason =
  | 'unknown-provider'
  | 'none-registered'
  | 'none-up'
  | 'none-of-version'
  | 'none-of-scheme'
  | 'none-in-zone';

/** How many instances of a provider were seen. */
export interface SeenInstances {
  readonly registered: number;
  readonly up: number;
  /** Those that fit all that was asked for but the `reason`. */
  readonly fitting: number;
}

/** There is no instance of a provider that can be called now. The same question may be answered later. */
export class NoInstanceError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_NO_INSTANCE';
  readonly provider: ProviderName;
  /** How to correct it, where that is known; a sentence without its full stop. */
  readonly advice: string | undefined;

  constructor(
    { environment, appId, serviceName }: ProviderName,
    readonly reason: NoInstanceReason,
    readonly seen: SeenInstances,
    advice?: string,
  ) {
    const provider = { environment, appId, serviceName };
    const message = `No instance of ${quoted(provider)} can be called: ${lackOf(reason, seen)}`;
    super(advice === undefined ? message : `${message}. ${advice}`);
    this.provider = provider;
    this.advice = advice;
  }
}

function lackOf(reason: NoInstanceReason, { registered, up }: SeenInstances): string {
  const some = `${registered} ${registered === 1 ? 'is' : 'are'} registered`;
  const fit = `${some}, ${up} ${up === 1 ? 'is' : 'are'} UP`;
  switch (reason) {
    case 'unknown-provider':
      return 'the registry does not know this service';
    case 'none-registered':
      return 'none is registered';
    case 'none-up':
      return `${some}, none is UP`;
    case 'none-of-version':
      return `${fit}, none has a version that fits`;
    case 'none-of-scheme':
      return `${fit}, none has an endpoint with a scheme that fits`;
    case 'none-in-zone':
      return `${fit}, none is in the zone of this instance`;
  }
}

/** Returns a provider as messages name it: `"default/greeter"`. */
export function quoted({
  appId,
  serviceName,
}: Pick<ProviderName, 'appId' | 'serviceName'>): string {
  return JSON.stringify(`${appId}/${serviceName}`);
}

/** An error without its stack: its code, the registry's number, and the sentence. */
export interface ErrorSummary {
  readonly code: ServiceCombErrorCode;
  readonly errorCode?: number;
  readonly message: string;
}

/** Returns what a snapshot says of an error. */
export function summaryOf(error: ServiceCombError): ErrorSummary {
  const { code, message } = error;
  const errorCode = error instanceof ServiceCenterResponseError ? error.errorCode : undefined;
  return errorCode === undefined ? { code, message } : { code, errorCode, message };
}

/** What an error of a call says of itself: without request, headers and answer, so that it is safe to log. */
export interface CallFailure {
  /** Such as `ECONNREFUSED`; absent for none. */
  readonly code?: string;
  readonly message: string;
}

/** Returns what the event of a failed call says of whatever was thrown. */
export function callFailureOf(error: unknown): CallFailure {
  const code = codeOf(error);
  const thrown = propertyOf(error, 'message');
  const message =
    typeof thrown === 'string' && thrown !== '' ? thrown : (code ?? 'no reason given');
  return code === undefined ? { message } : { code, message };
}

/** Returns whether a value is an error of this library, also of another copy of it in this process. */
export function isServiceCombError(error: unknown): error is ServiceCombError {
  return typeof error === 'object' && error !== null && brand in error;
}

/** Returns the `code` of an error of Node or of a library; undefined when there is none. */
export function codeOf(error: unknown): string | undefined {
  const code = propertyOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** Returns a property of anything that was thrown; undefined when there is none. */
export function propertyOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
