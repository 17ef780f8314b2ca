import { generateKeyPairSync } from 'node:crypto';
import type { RbacOptions, QuotaOptions } from '../../lib/index.js';
import { TestRegistry, refusalOf } from './registry.js';
import type { Told } from './registry.js';

export const rootPassword = 'Complicated_password1';

/** A password that the server accepts. */
export const password = 'Complicated_password2';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** One key for all registries, because generating keys takes time. */
export const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

interface GuardedOptions extends Partial<RbacOptions> {
  readonly quotas?: QuotaOptions;
}

/** Credentials and address of a request. */
interface Sender {
  /** A token, with or without the scheme before it. */
  readonly as?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A registry with RBAC and a fake clock. */
export class GuardedRegistry {
  readonly registry: TestRegistry;

  constructor({ quotas = {}, ...rbac }: GuardedOptions = {}) {
    this.registry = new TestRegistry({ quotas, rbac: { rootPassword, privateKey: pem, ...rbac } });
  }

  get clock(): TestRegistry['clock'] {
    return this.registry.clock;
  }

  get root(): string {
    return this.token('root', ['admin']);
  }

  /** Returns a token that was not issued by a login. */
  token(account: string, roles: unknown, claims: object = {}): string {
    const exp = Math.floor(this.clock.now() / 1000) + 3600;
    const { rbac } = this.registry;
    if (rbac === undefined) throw new Error('no RBAC');
    return rbac.sign({ account, roles, exp, ...claims });
  }

  /** Sends `"GET /v4/roles"`; a path that does not start with `/v` is below the registry's path. */
  ask(line: string, { as, body = '', headers = {} }: Sender = {}): Told {
    const [method = '', path = ''] = line.split(/ (.*)/s);
    const target = /^\/(v\d|version|health|metrics|registry)/.test(path)
      ? path
      : `/v4/default/registry${path}`;
    const authorization = as?.includes(' ') ? as : `Bearer ${as}`;
    const sent = as === undefined ? headers : { ...headers, authorization };
    return this.registry.askTarget(method, target, sent, body);
  }

  /** Returns the status of a success, or the texts of an error. */
  outcome(line: string, sender: Sender = {}): string {
    const told = this.ask(line, sender);
    return told.status === 200 ? '200' : refusalOf(told);
  }

  asRoot(line: string, body?: unknown): string {
    return this.outcome(line, { as: this.root, body });
  }

  /** Tries to log in, optionally from an address. */
  login(name: string, word: string, address = '10.0.0.1', more: object = {}): string {
    const headers = { 'x-forwarded-for': address };
    return this.outcome('POST /v4/token', { headers, body: { name, password: word, ...more } });
  }

  /** Creates an account with a role of its own and returns its token. */
  member(name: string, perms: readonly object[]): string {
    this.asRoot('POST /v4/roles', { name: `${name}-role`, perms });
    this.asRoot('POST /v4/accounts', { name, password, roles: [`${name}-role`] });
    return this.token(name, [`${name}-role`]);
  }

  /** Returns the token of an account with the built-in role. */
  developer(): string {
    this.asRoot('POST /v4/accounts', { name: 'dev', password, roles: ['developer'] });
    return this.token('dev', ['developer']);
  }

  /** Registers a service. */
  service(serviceId: string, service: object = {}): string {
    const body = { service: { serviceId, serviceName: serviceId, ...service } };
    return this.asRoot('POST /microservices', body);
  }
}

/** Returns the claims of a token without verifying it. */
export function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}
