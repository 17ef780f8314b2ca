/** How much the registry takes. The Service Center's own service and instance do not count. */
export interface Quotas {
  /**
   * Services in a project of a domain, each version on its own.
   *
   * @default 50000
   */
  readonly services: number;
  /**
   * Instances in a project of a domain.
   *
   * @default 150000
   */
  readonly instances: number;
  /**
   * Schemas of a service.
   *
   * @default 100
   */
  readonly schemas: number;
  /**
   * Tags of a service.
   *
   * @default 100
   */
  readonly tags: number;
  /**
   * Accounts of the server, `root` included. They count with RBAC only.
   *
   * @default 1000
   */
  readonly accounts: number;
  /**
   * Roles of the server, those that are built in included.
   *
   * @default 100
   */
  readonly roles: number;
}

/** Some of the quotas. */
export type QuotaOptions = { readonly [Name in keyof Quotas]?: number | undefined };

/** Quotas of which some are said; the others are the server's (server/plugin/quota/buildin). */
export function resolveQuotas({
  services = 50_000,
  instances = 150_000,
  schemas = 100,
  tags = 100,
  accounts = 1000,
  roles = 100,
}: QuotaOptions = {}): Quotas {
  return { services, instances, schemas, tags, accounts, roles };
}
