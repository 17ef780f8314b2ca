const brand = Symbol.for('nestjs-servicecomb.error');

/** The stable code of each error class; the discriminant of {@link ServiceCombError}. */
export type ServiceCombErrorCode =
  | 'ERR_SERVICECOMB_OPTIONS'
  | 'ERR_SERVICECOMB_UNREACHABLE'
  | 'ERR_SERVICECOMB_TIMEOUT'
  | 'ERR_SERVICECOMB_RESPONSE'
  | 'ERR_SERVICECOMB_PROTOCOL'
  | 'ERR_SERVICECOMB_CREDENTIALS';

/**
 * The base of every error that this library throws or puts into an event.
 *
 * Messages are one sentence and carry no password, token or whole body, so they are safe to log.
 */
export abstract class ServiceCombError extends Error {
  abstract readonly code: ServiceCombErrorCode;
  readonly [brand] = true;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  /** All but the stack and the cause, so that an event reads well in a JSON log. */
  toJSON(): object {
    return { name: this.name, message: this.message, ...Object.fromEntries(Object.entries(this)) };
  }
}

/** One wrong option: where it is, and what is wrong with it. */
export interface OptionIssue {
  /** Path of the option, such as `heartbeat.intervalMs`. */
  readonly path: string;
  /** What the option must be and what came, without the path. */
  readonly message: string;
}

/** Options that cannot work. Thrown once, at boot, with every issue; nothing has been started then. */
export class RegistryOptionsError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_OPTIONS';

  constructor(readonly issues: readonly OptionIssue[]) {
    const sentences = issues.map(issue => `${issue.path} ${issue.message}`);
    super(`Invalid registry options: ${sentences.join('; ')}`);
  }
}

/** No connection to Service Center: refused, reset, no such host, TLS failure. */
export class ServiceCenterUnreachableError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_UNREACHABLE';
  /** What to do about it, where the reason tells: failures of TLS and of the proxy. */
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
    const what = `Service Center is unreachable for "${operation}" at ${addresses.join(', ')}: ${reason}`;
    super(advice === undefined ? what : `${what}. ${advice}`, rest);
    this.advice = advice;
  }
}

/** Service Center did not answer in full within the deadline of the attempt. */
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

/** What an answer that is not a success said. */
export interface Refusal {
  readonly status: number;
  /** The registry's own number, when the answer had one. Compare with `ErrorCode`. */
  readonly errorCode?: number | undefined;
  readonly errorMessage?: string | undefined;
  readonly detail?: string | undefined;
  /** Milliseconds that the answer's Retry-After asks for. */
  readonly retryAfterMs?: number | undefined;
}

/** Service Center answered, and the answer is no. */
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
    super(`Service Center refused "${operation}": ${describe(refusal)}`);
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

/** Something answered, but not in Service Center's words: HTML, garbage, a body of the wrong shape. */
export class ServiceCenterProtocolError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_PROTOCOL';

  constructor(
    readonly operation: string,
    readonly address: string,
    readonly expected: string,
    /** The first characters of what came instead. */
    readonly received: string,
  ) {
    super(
      `Service Center's answer to "${operation}" is not ${expected}: ${JSON.stringify(received)}`,
    );
  }
}

/** There are no credentials to send a request with: the application's own source of them failed. */
export class CredentialsError extends ServiceCombError {
  readonly code = 'ERR_SERVICECOMB_CREDENTIALS';

  constructor(
    /** The option that they come from. */
    readonly source: 'token' | 'headers' | 'password' | 'passwordFile',
    /** What went wrong, in words without a secret. */
    readonly reason: string,
  ) {
    super(`No credentials for Service Center from serviceCenter.auth.${source}: ${reason}`);
  }
}

/** Whether a value is an error of this library, also one of another copy of it in this process. */
export function isServiceCombError(error: unknown): error is ServiceCombError {
  return typeof error === 'object' && error !== null && brand in error;
}
