import { generateKeyPairSync } from 'node:crypto';
import type { RbacOptions, QuotaOptions } from '../../lib/index.js';
import { TestRegistry, refusalOf } from './registry.js';
import type { Told } from './registry.js';

export const rootPassword = 'Complicated_password1';

/** A password that the server takes. */
export const password = 'Complicated_password2';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The key of every registry here, as keys take time to make. */
export const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

interface GuardedOptions extends Partial<RbacOptions> {
  readonly quotas?: QuotaOptions;
}

/** Who asks, and from where. */
interface Sender {
  /** A token, with or without the word that goes before it. */
  readonly as?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A registry with RBAC, its clock in the test's hand. */
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

  /** A token that no login gave. */
  token(account: string, roles: unknown, claims: object = {}): string {
    const exp = Math.floor(this.clock.now() / 1000) + 3600;
    const { rbac } = this.registry;
    if (rbac === undefined) throw new Error('no RBAC');
    return rbac.sign({ account, roles, exp, ...claims });
  }

  /** Asks `"GET /v4/roles"`; a path that begins otherwise than with `/v` is below the registry's own. */
  ask(line: string, { as, body = '', headers = {} }: Sender = {}): Told {
    const [method = '', path = ''] = line.split(/ (.*)/s);
    const target = /^\/(v\d|version|health|metrics|registry)/.test(path)
      ? path
      : `/v4/default/registry${path}`;
    const authorization = as?.includes(' ') ? as : `Bearer ${as}`;
    const sent = as === undefined ? headers : { ...headers, authorization };
    return this.registry.askTarget(method, target, sent, body);
  }

  /** The status of what succeeds, or all that a refusal says. */
  outcome(line: string, sender: Sender = {}): string {
    const told = this.ask(line, sender);
    return told.status === 200 ? '200' : refusalOf(told);
  }

  asRoot(line: string, body?: unknown): string {
    return this.outcome(line, { as: this.root, body });
  }

  /** Tries to log in, from an address when there is one. */
  login(name: string, word: string, address = '10.0.0.1', more: object = {}): string {
    const headers = { 'x-forwarded-for': address };
    return this.outcome('POST /v4/token', { headers, body: { name, password: word, ...more } });
  }

  /** Makes an account with a role of its own, and gives a token of it. */
  member(name: string, perms: readonly object[]): string {
    this.asRoot('POST /v4/roles', { name: `${name}-role`, perms });
    this.asRoot('POST /v4/accounts', { name, password, roles: [`${name}-role`] });
    return this.token(name, [`${name}-role`]);
  }

  /** An account with the role that is built in. */
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

/** Claims of a token, whoever signed it. */
export function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}
