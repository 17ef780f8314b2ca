import type { Field } from './field.js';
import type { HostFacts } from './host-facts.js';
import type { ProxyCredentials, ProxyRoutes, ProxyServer } from './proxy-routes.js';

/** The option `serviceCenter.proxy`. What it holds is in no issue: it may be a password. */
export function resolveProxy(field: Field, env: HostFacts['env']): ProxyRoutes | undefined {
  if (field.value === undefined) return undefined;
  if (field.value === 'env') return fromEnvironment(field, env);
  const server = proxyServer(field.value);
  if (server === undefined) return reject(field, `${mustBe}, or "env"`);
  return { http: server, https: server, bypass: [] };
}

const mustBe = 'must be an http URL of host and port, which may hold user and password';

function fromEnvironment(field: Field, env: HostFacts['env']): ProxyRoutes {
  const firstSet = (names: readonly (keyof HostFacts['env'])[]) =>
    names.find(name => (env[name] ?? '') !== '');
  const server = (...names: readonly (keyof HostFacts['env'])[]) => {
    const name = firstSet(names);
    if (name === undefined) return undefined;
    return proxyServer(withScheme(env[name])) ?? reject(field, `${mustBe}, which ${name} does not`);
  };
  return {
    http: server('http_proxy', 'HTTP_PROXY'),
    https: server('https_proxy', 'HTTPS_PROXY'),
    bypass: hosts(env[firstSet(['no_proxy', 'NO_PROXY']) ?? 'no_proxy'] ?? ''),
  };
}

/** Variables often hold `host:port` alone, which curl and Go read as http. */
function withScheme(value = ''): string {
  return value.includes('://') ? value : `http://${value}`;
}

function reject({ path, issues }: Field, message: string): undefined {
  issues.push({ path, message });
}

function proxyServer(value: unknown): ProxyServer | undefined {
  if (typeof value !== 'string' || !/^http:\/\/[^/\s\\]+\/?$/i.test(value)) return undefined;
  if (!URL.canParse(value)) return undefined;
  const { hostname, port, username, password } = new URL(value);
  const named = decoded({ username, password });
  if (named === undefined) return undefined;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || '80'),
    credentials: username === '' && password === '' ? undefined : () => named,
  };
}

function decoded({ username, password }: ProxyCredentials): ProxyCredentials | undefined {
  try {
    return {
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
  } catch {
    return undefined; // A lone `%`.
  }
}

function hosts(list: string): readonly string[] {
  const names = list.toLowerCase().split(/[\s,]+/);
  return names.filter(name => name !== '');
}
