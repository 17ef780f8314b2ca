import { createHmac } from 'node:crypto';
import { CredentialsError, type ServiceCombError } from '../errors.js';
import type { CallOptions } from './operation.js';

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
  /** Calls back with each token and each refused login, once it is noticed; returns what ends it. */
  onChange(listener: (change: TokenChange) => void): () => void;
}

/** What becomes of a token. */
export type TokenChange =
  | { readonly kind: 'renewed'; readonly address: string; readonly lifeMs: number }
  | {
      readonly kind: 'refused';
      readonly address: string;
      readonly error: ServiceCombError;
      readonly retryInMs: number;
    };

/** Nobody in particular: what a registry without security takes. */
export const noCredentials: Credentials = {
  headersFor: () => Promise.resolve({}),
  accepted: () => undefined,
  refused: () => false,
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
): Credentials {
  return {
    ...noCredentials,
    headersFor: async () => {
      const provided = await answerOf(source, provide);
      if (source === 'token') return { Authorization: `Bearer ${headerText(source, provided)}` };
      if (typeof provided !== 'object' || provided === null)
        throw new CredentialsError(source, 'it gave no object');
      return Object.fromEntries(
        Object.entries(provided).map(([name, value]) => [name, headerText(source, value)]),
      );
    },
  };
}

/**
 * What a provider of the application answers. Its own error is told by its name alone: its message may
 * hold a secret.
 *
 * @throws CredentialsError
 */
export async function answerOf<T>(
  source: CredentialsError['source'],
  provide: () => Promise<T>,
): Promise<T> {
  try {
    return await provide();
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    throw new CredentialsError(source, `it failed with ${name}`);
  }
}

/** Node refuses a header with a line break or beyond Latin-1, and shows the value when it does. */
function headerText(source: CredentialsError['source'], value: unknown): string {
  if (typeof value !== 'string' || !/^[\x20-\x7e]+$/.test(value))
    throw new CredentialsError(source, 'it gave no text that a header can hold');
  return value;
}
