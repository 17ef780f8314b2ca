import {
  type ServiceCombError,
  isServiceCombError,
  ServiceCenterProtocolError,
  ServiceCenterUnreachableError,
} from '../errors.js';
import type { AddressBook } from './address-book.js';
import { failureKind, isPermissionRefused, isRetriable, isTokenRefused } from './classify.js';
import { type CredentialHeaders, type Credentials, noCredentials } from './credentials.js';
import { type CallOptions, type Operation, unexpected } from './operation.js';
import { blankerFor } from './redact.js';
import { type Asked, beginningOf, failureOf, refusalOf } from './refusal.js';
import { type CallSettings, requestOf } from './request.js';
import type { OperationName } from './routes.js';
import type { HttpReply, HttpRequest, Send } from './send.js';

/**
 * Sends operations to the address in use, and once more to the next address when the first one did
 * not answer, was busy, or was no Service Center. An operation therefore takes two deadlines at most.
 * Isolated addresses are left out while another one is left.
 */
export class Caller {
  /** Addresses that have no readiness, as those of Apache's Service Center. */
  readonly #unready = new Set<string>();

  constructor(
    private readonly send: Send,
    readonly addresses: AddressBook,
    private readonly settings: CallSettings,
    readonly credentials: Credentials = noCredentials,
  ) {}

  /**
   * Resolves with the decoded answer.
   *
   * @throws ServiceCombError what failed; for two addresses, what the second one said.
   */
  async call<T>(operation: Operation<T>, options: CallOptions = {}): Promise<T> {
    const first = this.addresses.current;
    try {
      return await this.#attempt(operation, first, options);
    } catch (error) {
      if (!isServiceCombError(error) || !isRetriable(error)) throw error;
      if (failureKind(error) === 'credentials') throw error;
      const second = this.addresses.current;
      if (second === first) throw error;
      return this.#failOver(operation, [first, second], options);
    }
  }

  async #failOver<T>(
    operation: Operation<T>,
    [first, second]: readonly [string, string],
    options: CallOptions,
  ): Promise<T> {
    try {
      return await this.#attempt(operation, second, options);
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      throw bothTried(error, operation.name, [first, second]);
    }
  }

  /**
   * Whether an address serves: by the readiness of the clouds, and where there is none by the version.
   * Asks this address alone, and notes in the address book that it does. Rejects only when aborted.
   */
  async probe(address: string, options: CallOptions = {}): Promise<boolean> {
    const serves = await this.#isReady(address, options);
    if (serves) this.addresses.seen(address);
    return serves;
  }

  async #isReady(address: string, options: CallOptions): Promise<boolean> {
    if (!this.#unready.has(address)) {
      const status = await this.#statusOf('getReadiness', address, options);
      if (status === undefined || !hasNoReadiness(status)) return status === 200;
      this.#unready.add(address);
    }
    return isAnswer(await this.#statusOf('getVersion', address, options));
  }

  /** Status of the answer; undefined when there is none. */
  async #statusOf(
    name: OperationName,
    address: string,
    { signal, timeoutMs = this.settings.timeoutMs }: CallOptions,
  ): Promise<number | undefined> {
    const asked = { operation: name, address, timeoutMs };
    try {
      return (await this.#reply(requestOf({ name }, { ...asked, signal }, this.settings), asked))
        .status;
    } catch (error) {
      if (isServiceCombError(error)) return undefined;
      throw error;
    }
  }

  async #attempt<T>(operation: Operation<T>, address: string, options: CallOptions): Promise<T> {
    try {
      const value = await this.#ask(operation, address, options);
      this.addresses.answered(address);
      return value;
    } catch (error) {
      if (isServiceCombError(error)) this.#note(address, error);
      throw error;
    }
  }

  /** An address that throttles serves, though not now: another one may. */
  #note(address: string, error: ServiceCombError): void {
    if (failureKind(error) === 'credentials') return;
    if (!isRetriable(error)) this.addresses.answered(address);
    else if (failureKind(error) === 'throttled') this.addresses.leave(address);
    else this.addresses.failed(address, error);
  }

  /** A request whose token was refused is sent once more, with another one. */
  async #ask<T>(operation: Operation<T>, address: string, options: CallOptions): Promise<T> {
    const headers = await this.credentials.headersFor(address, options);
    options.signal?.throwIfAborted();
    try {
      const value = await this.#exchange({ ...operation, credentials: headers }, address, options);
      this.credentials.accepted(address, headers);
      return value;
    } catch (error) {
      if (isPermissionRefused(error)) this.credentials.denied(address, headers);
      if (!isServiceCombError(error) || !isTokenRefused(error)) throw error;
      if (!this.credentials.refused(address, headers)) throw error;
    }
    const credentials = await this.credentials.headersFor(address, options);
    return this.#exchange({ ...operation, credentials }, address, options);
  }

  async #exchange<T>(
    operation: Operation<T> & { readonly credentials: CredentialHeaders },
    address: string,
    options: CallOptions,
  ): Promise<T> {
    const timeoutMs = options.timeoutMs ?? this.settings.timeoutMs;
    const asked = { operation: operation.name, address, timeoutMs };
    const reply = await this.#reply(
      requestOf(operation, { ...asked, signal: options.signal }, this.settings),
      asked,
    );
    const blank = blankerFor(operation, reply, this.settings.secrets);
    if (reply.status !== 200 && reply.status !== operation.otherStatus)
      throw refusalOf(reply, asked, blank);
    const value = operation.decode(reply);
    if (value === unexpected)
      throw new ServiceCenterProtocolError(
        operation.name,
        address,
        operation.expected,
        beginningOf(reply.body, blank),
      );
    return value;
  }

  async #reply(request: HttpRequest, asked: Asked): Promise<HttpReply> {
    try {
      return await this.send(request);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw failureOf(error, asked) ?? error;
    }
  }
}

/** One that asks who we are is there: also to any other request these are answers, not failures. */
function isAnswer(status: number | undefined): boolean {
  return status === 200 || status === 401 || status === 403;
}

/** Also when a gateway or a server with security on does not let everybody ask. */
function hasNoReadiness(status: number): boolean {
  return status === 404 || status === 405 || status === 401 || status === 403;
}

function bothTried(
  error: ServiceCombError,
  operation: string,
  addresses: readonly [string, string],
): ServiceCombError {
  if (!(error instanceof ServiceCenterUnreachableError)) return error;
  const { reason, cause, advice } = error;
  return new ServiceCenterUnreachableError(operation, addresses, reason, { cause, advice });
}
