/** Quotas of the registry. The Service Center's own service and instance do not count. */
export interface Quotas {
  /**
   * Services in a project; each version counts.
   *
   * @default 50000
   */
  readonly services: number;
  /**
   * Instances in a project.
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
   * Accounts of the server, including `root`. Only used with RBAC.
   *
   * @default 1000
   */
  readonly accounts: number;
  /**
   * Roles of the server, including the built-in ones.
   *
   * @default 100
   */
  readonly roles: number;
}

/** Quotas that differ from the server's. */
export type QuotaOptions = { readonly [Name in keyof Quotas]?: number | undefined };

/** Fills in the server's own quotas (server/plugin/quota/buildin). */
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
