import { flag, matching, text, wholeMilliseconds, wholeNumber } from './check.js';
import { defaults } from './defaults.js';
import { entries, items, members, orElse, reject, type Field } from './field.js';
import type { HostFacts } from './host-facts.js';
import type { AxiosSettings, RegistryProfile } from './options.js';
import { profiles } from './profiles.js';
import type { ResolvedOptions } from './resolved-options.js';
import { resolveAuth } from './resolve-auth.js';
import { resolveTls } from './resolve-tls.js';

// URL clients resolve dots, even encoded ones; a lone surrogate cannot be encoded at all.
const project = matching(
  /^(?!\.{1,2}$)[^\p{Surrogate}\p{Cc}\ufeff]{1,64}$/u,
  'must be 1 to 64 characters other than "." and "..", without a line break or another control character',
);
const domain = matching(
  /^[\x21-\x7e]+$/,
  'must be visible ASCII characters, with all others encoded',
);

/** Resolves the group `serviceCenter`. */
export function resolveServiceCenter(
  group: Field,
  { env, readFile }: HostFacts,
  profile: RegistryProfile,
): ResolvedOptions['serviceCenter'] {
  const { serviceCenter } = defaults;
  const option = members(group, serviceCenter);
  for (const name of profiles[profile].required ?? []) requireFor(profile, option(name));
  return {
    ...resolveAddresses(option('addresses'), env),
    project: text(option('project'), project) ?? serviceCenter.project,
    domain: text(option('domain'), domain) ?? serviceCenter.domain,
    timeoutMs: wholeMilliseconds(option('timeoutMs'), 100, 60_000) ?? serviceCenter.timeoutMs,
    learnAddresses: flag(option('learnAddresses')) ?? serviceCenter.learnAddresses,
    auth: resolveAuth(option('auth')) ?? serviceCenter.auth,
    tls: resolveTls(option('tls'), readFile),
    maxAnswerBytes:
      wholeNumber(option('maxAnswerBytes'), 1_024, 268_435_456) ?? serviceCenter.maxAnswerBytes,
    axios: resolveAxios(option('axios')),
  };
}

const axiosSettings: ReadonlySet<string> = new Set<keyof AxiosSettings>([
  'headers',
  'httpAgent',
  'httpsAgent',
]);

/** Accepts the settings that have an effect. The values of others are not told: they may be secrets. */
function resolveAxios(field: Field): ResolvedOptions['serviceCenter']['axios'] {
  const own = entries(field)?.filter(([, { value }]) => value !== undefined);
  if (own === undefined) return undefined;
  for (const [name, { path, value }] of own) {
    if (axiosSettings.has(name) || (name === 'proxy' && value === false)) continue;
    field.issues.push({ path, message: name === 'proxy' ? noProxy : noEffect });
  }
  const config = Object.fromEntries(own.map(([name, { value }]) => [name, value]));
  return () => config;
}

const noProxy = 'must not be set: put a proxy agent into serviceCenter.axios.httpsAgent';
const noEffect = 'must not be set: only headers, httpAgent and httpsAgent have an effect';

function requireFor(profile: RegistryProfile, { path, value, issues }: Field): void {
  const message = `must be set: profile "${profile}" has no default for it`;
  if (value === undefined) issues.push({ path, message });
}

type Addresses = Pick<ResolvedOptions['serviceCenter'], 'addresses' | 'addressesFrom'>;

/** An item may be a list with commas, as a variable is; without any address the variables count. */
function resolveAddresses(field: Field, env: HostFacts['env']): Addresses {
  const items = listed(field) ?? [];
  const written = items.length > 0 ? items : injected({ ...field, value: undefined }, env);
  const addresses = written?.flatMap(item => resolveAddress(item) ?? []);
  const [first, ...others] = new Set(addresses);
  if (first === undefined)
    return {
      addresses: [...defaults.serviceCenter.addresses],
      addressesFrom: `the default of ${field.path}`,
    };
  return { addresses: [first, ...others], addressesFrom: written?.[0]?.origin ?? field.path };
}

/** Returns the addresses of the option; `[process.env.X]` with X unset or empty has none. */
function listed(field: Field): readonly Field[] | undefined {
  const written = items(field);
  if (written?.length === 0) reject(field, 'must have at least one address');
  return written?.flatMap(item => {
    if (item.value === undefined) return [];
    const { path, issues, value } = item;
    if (typeof value !== 'string') return [item];
    return addressesIn(value).map(address => ({ path, issues, value: address }));
  });
}

/** Reads the addresses of the first variable that has any. */
function injected(field: Field, env: HostFacts['env']): readonly Field[] | undefined {
  const names = ['SERVICE_CENTER_ADDRESS', 'PAAS_CSE_SC_ENDPOINT'] as const;
  return names
    .map(name => addressesIn(env[name]).map(address => orElse(field, address, name)))
    .find(addresses => addresses.length > 0);
}

/**
 * Splits a list at its commas. A list that seems to contain a password stays whole, since the password
 * may contain a comma and its second half would appear in an issue.
 */
function addressesIn(list = ''): readonly string[] {
  const written = list.split(',').map(address => address.trim());
  const addresses = written.filter(address => address !== '');
  const isCut = list.includes('@') && addresses.some(address => httpUrl(address) === undefined);
  return isCut ? [list.trim()] : addresses;
}

function resolveAddress(field: Field): string | undefined {
  const { value } = field;
  const url = typeof value === 'string' ? httpUrl(value) : undefined;
  if (url === undefined) return reject(field, 'must be an absolute http or https URL');
  if (url.username !== '' || url.password !== '') {
    return reject(field, 'must not contain a user or a password');
  }
  if (url.href.includes('?') || url.href.includes('#')) {
    // A query may contain a token.
    const harmless = { ...field, value: `${url.origin}${url.pathname}` };
    return reject(harmless, 'must have no query and no fragment');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** Rejects what the URL parser would correct: a single slash, white space, a backslash. */
function httpUrl(address: string): URL | undefined {
  const isAbsolute = /^https?:\/\/[^/\s\\]+(\/[^\s\\]*)?$/i.test(address);
  return isAbsolute && URL.canParse(address) ? new URL(address) : undefined;
}
