import { randomBytes } from 'node:crypto';
import {
  CredentialsError,
  isServiceCombError,
  type ServiceCombError,
  ServiceCenterResponseError,
} from '../errors.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { ErrorCode } from '../protocol/error-codes.js';
import { failureKind, isGone, isPermissionRefused, noScope } from '../protocol/failures.js';
import type { InstanceRef, Microservice } from '../protocol/wire.js';
import { type Connection, machineClock } from './connection.js';
import { type Check, type Finding, problem, type Section } from './report.js';

/** What the check of the registration needs. */
export interface RegistrationCheckParts {
  readonly options: ResolvedOptions;
  /** To one address, which serves. */
  readonly connection: Connection;
  /** The variable or flag that the secret comes from. */
  readonly secretFrom: string | undefined;
  /** Name of the probe. @default one that no other service has */
  readonly probe: string | undefined;
  /** Once it is aborted nothing more is registered, and the probe is removed. */
  readonly stopped: AbortSignal;
}

const cannotRegister = 'The application cannot register, and finds no other service';

/** Logs in, once. Returns undefined for credentials that need no login: the registration shows what they are worth. */
export async function checkLogin(parts: RegistrationCheckParts): Promise<Section | undefined> {
  const { options, connection } = parts;
  const { auth } = options.serviceCenter;
  if (auth?.kind !== 'account') return undefined;
  const title = `Credentials of ${JSON.stringify(auth.username)} (from ${parts.secretFrom})`;
  try {
    const { address } = connection.client;
    const bounds = { timeoutMs: options.serviceCenter.timeoutMs, signal: parts.stopped };
    const headers = await connection.credentials.headersFor(address, bounds);
    const isNeeded = Object.keys(headers).length > 0;
    const text = isNeeded ? 'accepted' : 'not needed: the registry has no login';
    return { title, checks: [{ name: 'login', status: isNeeded ? 'ok' : 'note', text }] };
  } catch (error) {
    if (parts.stopped.aborted) return { title, checks: [] };
    if (!isServiceCombError(error)) throw error;
    return { title, checks: [problem('login', loginFinding(error, auth.username, parts))] };
  }
}

function loginFinding(
  error: ServiceCombError,
  username: string,
  { secretFrom }: RegistrationCheckParts,
): Finding {
  const errorCode = error instanceof ServiceCenterResponseError ? error.errorCode : undefined;
  const account = JSON.stringify(username);
  if (errorCode === ErrorCode.WrongPassword)
    return {
      fact: `The registry refuses the password of ${account} (errorCode ${errorCode})`,
      consequence: `${cannotRegister}; the third refusal within 15 minutes bans the account for this machine, and this run was one`,
      change: `Correct user and password (${secretFrom}) before you run this again`,
    };
  if (errorCode === ErrorCode.AccountBlocked)
    return {
      fact: `The account ${account} is banned for this machine (errorCode ${errorCode})`,
      consequence: `${cannotRegister}, not even with the right password`,
      change: 'Stop whatever logs in with a wrong password, and wait 15 minutes',
    };
  if (error instanceof CredentialsError)
    return {
      fact: `There is no password: ${error.reason}`,
      consequence: cannotRegister,
      change: `Correct ${secretFrom}`,
    };
  return generalFinding('The login failed', error);
}

function generalFinding(fact: string, error: ServiceCombError): Finding {
  return {
    fact: `${fact}: ${error.message}`,
    consequence: cannotRegister,
    change:
      'Look it up under its code in docs/troubleshooting.md, and in the log of the registry at this time',
  };
}

/**
 * Registers a service with an instance as a probe, sends a heartbeat, and removes both, whatever happens. The
 * instance has no endpoint, so nobody calls it.
 */
export async function checkRegistration(parts: RegistrationCheckParts): Promise<Section> {
  const { appId, serviceName, version } = parts.options.microservice;
  const title = `Registration of ${appId}/${serviceName} ${version}`;
  const probe = new Probe(parts);
  const checks: Check[] = [];
  try {
    const isThere = await probe.isThere();
    if (isThere) checks.push(problem('register', takenFinding(probe.name)));
    else await probe.register();
    if (!isThere && !parts.stopped.aborted)
      checks.push({
        name: 'register',
        status: 'ok',
        text: `allowed: the probe ${probe.name} was registered and sent a heartbeat`,
      });
  } catch (error) {
    if (!isServiceCombError(error)) throw error;
    checks.push(problem('register', refusedFinding(error, parts)));
  } finally {
    checks.push(...(await probe.remove()));
  }
  return { title, checks };
}

function takenFinding(name: string): Finding {
  return {
    fact: `The registry has a service ${JSON.stringify(name)} already, which was left as it is`,
    consequence: 'The permission to register was not checked',
    change: 'Give --probe another name',
  };
}

/** The cache of a registry lags behind its store, and knows a new service late. */
const patienceMs = 5_000;
const pauseMs = 300;
/** The server's own defaults: a probe that cannot be removed is gone after 120 s. */
const healthCheck = { mode: 'push', interval: 30, times: 3 } as const;

/** A service and an instance of it that are registered and removed. */
class Probe {
  readonly name: string;
  readonly #instanceId = `doctor-${randomBytes(4).toString('hex')}`;
  #serviceId: string | undefined;
  /** Whether a service or an instance may be in the registry: its answer may have been lost. */
  #isTried = false;

  constructor(private readonly parts: RegistrationCheckParts) {
    this.name = parts.probe ?? `nestjs-servicecomb-${this.#instanceId}`;
  }

  /** Returns whether a service has this name already, which must not be removed. */
  async isThere(): Promise<boolean> {
    return !this.parts.stopped.aborted && (await this.#lookUp()) !== undefined;
  }

  /**
   * Registers it step by step, until stopped. What has been sent is waited for: an aborted request may have
   * registered something.
   */
  async register(): Promise<void> {
    const { connection, stopped } = this.parts;
    const { client } = connection;
    if (stopped.aborted) return;
    this.#isTried = true;
    const serviceId = await client.registerMicroservice(this.#service);
    this.#serviceId = serviceId;
    if (stopped.aborted) return;
    const instance = { ...this.#ref(serviceId), hostName: this.parts.options.instance.hostName };
    await this.#onceKnown(() =>
      client.registerInstance(serviceId, { ...instance, status: 'DOWN', healthCheck }),
    );
    if (!stopped.aborted) await this.#onceKnown(() => client.sendHeartbeat(this.#ref(serviceId)));
  }

  /** Removes what has been registered, and returns what could not be removed. Not stopped by Ctrl-C. */
  async remove(): Promise<readonly Check[]> {
    if (!this.#isTried) return [];
    try {
      const serviceId = this.#serviceId ?? (await this.#lookUp());
      if (serviceId === undefined) return [];
      await this.#removeAll(serviceId);
      return [{ name: 'remove', status: 'ok', text: 'the probe was removed' }];
    } catch (error) {
      if (!isServiceCombError(error)) throw error;
      return [problem('remove', this.#leftFinding(error))];
    }
  }

  get #service(): Microservice {
    const { appId, environment } = this.parts.options.microservice;
    const description = 'A probe of nestjs-servicecomb doctor; it can be removed';
    return { appId, environment, serviceName: this.name, version: '0.0.1', description };
  }

  #ref(serviceId: string): InstanceRef {
    return { serviceId, instanceId: this.#instanceId };
  }

  /** Repeats what is refused because the registry does not know the new service yet. */
  async #onceKnown(send: () => Promise<unknown>): Promise<void> {
    const endsAt = machineClock.now() + patienceMs;
    for (;;) {
      try {
        await send();
        return;
      } catch (error) {
        const isLate = machineClock.now() > endsAt || this.parts.stopped.aborted;
        if (!isServiceCombError(error) || !isGone(error) || isLate) throw error;
      }
      await machineClock.delay(pauseMs, this.parts.stopped);
    }
  }

  /** Returns the id of the service; undefined if it was refused and is not there. */
  async #lookUp(): Promise<string | undefined> {
    try {
      return await this.parts.connection.client.findServiceId(this.#service);
    } catch (error) {
      if (!isServiceCombError(error) || failureKind(error) === 'unavailable') throw error;
      return undefined;
    }
  }

  async #removeAll(serviceId: string): Promise<void> {
    const { client } = this.parts.connection;
    try {
      await client.unregisterInstance(this.#ref(serviceId));
    } catch (error) {
      // It was not registered; or the removal of the service tells the same, and more.
      if (!isServiceCombError(error)) throw error;
    }
    await client.unregisterMicroservice(serviceId, { force: true });
  }

  #leftFinding(error: ServiceCombError): Finding {
    const { connection, options } = this.parts;
    const path = `/v4/${options.serviceCenter.project}/registry/microservices/${this.#serviceId ?? '{serviceId}'}`;
    return {
      fact: `The probe ${this.name} could not be removed: ${error.message}`,
      consequence:
        'It stays in the registry, without an instance and without an endpoint; nobody calls it',
      change: isPermissionRefused(error)
        ? 'Add the verb delete to the role of the account, which applications need when they leave; then send ' +
          `DELETE ${connection.client.address}${path}?force=true`
        : `Send DELETE ${connection.client.address}${path}?force=true`,
    };
  }
}

function refusedFinding(error: ServiceCombError, parts: RegistrationCheckParts): Finding {
  const { options, secretFrom } = parts;
  const { auth } = options.serviceCenter;
  if (error instanceof CredentialsError)
    return {
      fact: `There are no credentials: ${error.reason}`,
      consequence: cannotRegister,
      change: `Correct ${secretFrom}`,
    };
  if (!(error instanceof ServiceCenterResponseError))
    return generalFinding('The probe was not registered', error);
  const { status, errorCode, detail } = error;
  const code = errorCode === undefined ? `HTTP ${status}` : `errorCode ${errorCode}`;
  if (isPermissionRefused(error) || detail === noScope)
    return {
      fact: `${whoseOf(auth)} may not register services (${code}${detail === undefined ? '' : `: ${detail}`})`,
      consequence: cannotRegister,
      change:
        'Give it a role with the verbs get, create, update and delete on the resource service; if it may ' +
        'register some names only, try one of them with --probe',
    };
  if (status === 401 && auth === undefined)
    return {
      fact: `The registry demands credentials (${code})`,
      consequence: cannotRegister,
      change:
        'Name an account: --username with SERVICE_CENTER_PASSWORD or --password-file here, ' +
        'serviceCenter.auth in the application',
    };
  if (status === 401 || status === 403)
    return {
      fact: `The registry refuses the credentials (${code})`,
      consequence: cannotRegister,
      change: `Correct or renew what ${secretFrom ?? 'the gateway before the registry'} holds`,
    };
  return generalFinding('The probe was not registered', error);
}

function whoseOf(auth: ResolvedOptions['serviceCenter']['auth']): string {
  if (auth === undefined) return 'Without credentials an application';
  return auth.kind === 'account' ? `The account ${JSON.stringify(auth.username)}` : 'The account';
}
