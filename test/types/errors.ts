import {
  isServiceCombError,
  type NoInstanceError,
  type RegistrationState,
  type ServiceCombError,
  type ServiceCombErrorCode,
} from '../../lib/index.js';

/* Compiled and never run: the unions that users switch over are closed. */

/** Returns for every code: a new one breaks the build of those who switch over it. */
export function nameOf(error: ServiceCombError): string {
  switch (error.code) {
    case 'ERR_SERVICECOMB_OPTIONS':
      return 'options';
    case 'ERR_SERVICECOMB_UNREACHABLE':
      return 'unreachable';
    case 'ERR_SERVICECOMB_TIMEOUT':
      return 'timeout';
    case 'ERR_SERVICECOMB_RESPONSE':
      return 'response';
    case 'ERR_SERVICECOMB_PROTOCOL':
      return 'protocol';
    case 'ERR_SERVICECOMB_SCHEMA_MISMATCH':
      return 'schema mismatch';
    case 'ERR_SERVICECOMB_TAKEN_OVER':
      return 'taken over';
    case 'ERR_SERVICECOMB_CREDENTIALS':
      return 'credentials';
    case 'ERR_SERVICECOMB_NO_INSTANCE':
      return 'no instance';
  }
}

/** Returns for every reason. */
export function reasonOf({ reason }: NoInstanceError): string {
  switch (reason) {
    case 'unknown-provider':
    case 'none-registered':
    case 'none-up':
    case 'none-of-version':
    case 'none-of-scheme':
    case 'none-in-zone':
      return reason;
  }
}

// @ts-expect-error the codes are a closed union
export const code: ServiceCombErrorCode = 'ERR_SERVICECOMB_OTHER';

// @ts-expect-error the states are a closed union
export const state: RegistrationState = 'connected';

/** An unknown error is narrowed by the guard, and by nothing less. */
export function codeOf(error: unknown): ServiceCombErrorCode | undefined {
  // @ts-expect-error nothing is known of it yet
  void error.code;
  return isServiceCombError(error) ? error.code : undefined;
}
