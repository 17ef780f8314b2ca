import { createHmac } from 'node:crypto';
import { CredentialsError, type ServiceCombError } from '../errors.js';
import type { CallOptions } from './operation.js';
import { untilAborted } from './until-aborted.js';

/** Headers that say who asks. Their values are secrets. */
export type CredentialHeaders = Readonly<Record<string, string>>;

/** Says who asks, to the registry alone. */
export interface Credentials {
  /**
   * The headers of the next request to an address; resolves at once unless they must be had first.
   *
   * @throws ServiceCombError when there are none to be had
   */
  headersFor(address: string, options: CallOptions): Promise<CredentialHeaders>;
  /** Notes that an address answered a request with these headers. */
  accepted(address: string, headers: CredentialHeaders): void;
  /** Notes that an address refused these headers; answers whether to ask once more, with others. */
  refused(address: string, headers: CredentialHeaders): boolean;
  /** Notes that an address knows who asks with these headers, and does not let them. */
  denied(address: string, headers: CredentialHeaders): void;
  /** Why the last login gave no token, until one does, also while an older token still serves. */
  readonly trouble: ServiceCombError | undefined;
  /** Ends what is under way to have them: nothing of it keeps a process alive. */
  stop(): void;
  /** Calls back with each token and each refused login, once it is noticed; returns what ends it. */
  onChange(listener: (change: TokenChange) => void): () => void;
}

/** What becomes of a token. */
export type TokenChange =
  /** `lifeMs`: what is left of it. */
  | { readonly kind: 'renewed'; readonly address: string; readonly lifeMs: number }
  | {
      readonly kind: 'refused';
      readonly address: string;
      readonly error: ServiceCombError;
      readonly retryInMs: number;
    }
  /** The login of a renewal had no answer, while the token at hand serves; `failures` in a row. */
  | {
      readonly kind: 'failed';
      readonly address: string;
      readonly error: ServiceCombError;
      readonly failures: number;
    };

/** Nobody in particular: what a registry without security takes. */
export const noCredentials: Credentials = {
  headersFor: () => Promise.resolve({}),
  accepted: () => undefined,
  refused: () => false,
  denied: () => undefined,
  stop: () => undefined,
  trouble: undefined,
  onChange: () => () => undefined,
};

/** A pair of keys of Huawei Cloud. */
export interface KeyPair {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Name of the cloud project; sent encoded. */
  readonly project: string | undefined;
}

/** The pair as the older clouds want it: the secret key signs the access key, and is not sent. */
export function keyPairCredentials({ accessKey, secretKey, project }: KeyPair): Credentials {
  const signature = createHmac('sha256', secretKey).update(accessKey).digest('hex');
  const headers = {
    'X-Service-AK': accessKey,
    'X-Service-ShaAKSK': signature,
    ...(project === undefined ? {} : { 'X-Service-Project': encodeURIComponent(project) }),
  };
  return { ...noCredentials, headersFor: () => Promise.resolve(headers) };
}

/** Headers of the application's own making, asked for before each request. */
export function providedCredentials(
  source: 'token' | 'headers',
  provide: () => Promise<unknown>,
  patience: Patience,
): Credentials {
  return {
    ...noCredentials,
    headersFor: async (_, { signal }) => {
      signal?.throwIfAborted();
      const provided = await untilAborted(answerOf(source, provide, patience), signal);
      if (source === 'token') return { Authorization: `Bearer ${headerText(source, provided)}` };
      if (typeof provided !== 'object' || provided === null)
        throw new CredentialsError(source, 'it gave no object');
      return Object.fromEntries(
        Object.entries(provided).map(([name, value]) => [name, headerText(source, value)]),
      );
    },
  };
}

/** How long the application is waited for. */
export interface Patience {
  readonly timeoutMs: number;
  /** Resolves after that many milliseconds, or when aborted. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * What a provider of the application answers, or that it does not. Its own error is told by its name, or
 * by the code of the file system, alone: its message may hold a secret.
 *
 * @throws CredentialsError
 */
export async function answerOf<T>(
  source: CredentialsError['source'],
  provide: () => Promise<T>,
  { timeoutMs, delay }: Patience,
): Promise<T> {
  const timer = new AbortController();
  const late = Symbol('late');
  try {
    const first = await Promise.race([
      provide(),
      delay(timeoutMs, timer.signal).then((): typeof late => late),
    ]);
    if (first !== late) return first;
  } catch (error) {
    throw new CredentialsError(source, `it failed with ${nameOf(error)}`);
  } finally {
    timer.abort();
  }
  throw new CredentialsError(source, `it gave nothing within ${timeoutMs} ms`);
}

function nameOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string' && /^E[A-Z]{2,15}$/.test(code)) return code;
  return error instanceof Error ? error.name : 'object';
}

/** Node refuses a header with a line break or beyond Latin-1, and shows the value when it does. */
function headerText(source: CredentialsError['source'], value: unknown): string {
  if (typeof value !== 'string' || !/^[\x20-\x7e]+$/.test(value))
    throw new CredentialsError(source, 'it gave no text that a header can hold');
  return value;
}
