import { isWithin } from './network-address.js';

/** A proxy that is spoken to in plain HTTP. */
export interface ProxyServer {
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  /** User and password, behind a function so that nothing prints them. Undefined: none. */
  readonly credentials: (() => ProxyCredentials) | undefined;
}

/** Who asks the proxy. */
export interface ProxyCredentials {
  readonly username: string;
  readonly password: string;
}

/** Which proxy an address is reached through. */
export interface ProxyRoutes {
  /** For http addresses, and for https ones. */
  readonly http: ProxyServer | undefined;
  readonly https: ProxyServer | undefined;
  /** Hosts that are reached without: `host`, `host:port`, `.suffix`, CIDR or `*` each, in lower case. */
  readonly bypass: readonly string[];
}

/** The proxy for a URL; undefined when it is reached without one. */
export function proxyFor(
  { protocol, hostname, port }: URL,
  routes: ProxyRoutes | undefined,
): ProxyServer | undefined {
  if (routes === undefined) return undefined;
  const isSecure = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const own = port === '' ? (isSecure ? '443' : '80') : port;
  if (routes.bypass.some(entry => bypasses(entry, host, own))) return undefined;
  return isSecure ? routes.https : routes.http;
}

/** `example.com` is its subdomains too, as curl and Go read it. */
function bypasses(entry: string, host: string, port: string): boolean {
  if (entry === '*' || isWithin(host, entry)) return true;
  const [, bracketed, plain = entry, itsPort] =
    /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
  if (itsPort !== undefined && itsPort !== port) return false;
  const name = (bracketed ?? plain).replace(/^\*?\./, '');
  return host === name || host.endsWith(`.${name}`);
}
