import { isIP, isIPv6 } from 'node:net';
import { check, matching, oneOf, requiredText, text, texts } from './check.js';
import { defaults } from './defaults.js';
import { members, open, orElse, type Field } from './field.js';
import { serviceStageVariables, type HostFacts } from './host-facts.js';
import { isWildcard, isWithin } from './network-address.js';
import type { HealthSourceToken } from './options.js';
import { resolveProperties } from './resolve-properties.js';
import type { ResolvedOptions } from './resolved-options.js';

// The rules are those of the registry (server/service/validator/instance_validator.go), stricter where
// it accepts values that no consumer can use.
const instanceId = matching(
  /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/,
  'must be 1 to 64 letters, digits, "_", "." and "-", and neither "." nor ".."',
);
const hostName = matching(/^\S{1,64}$/u, 'must be 1 to 64 characters without white space');
const endpoint = {
  must: 'must be scheme://host:port, or scheme://:port for the address of this machine',
  accepts: isEndpoint,
};
const address = {
  must: 'must be a host name or an IP address to publish, without scheme and port',
  accepts: (host: string) => isHost(host) && !isWildcard(host),
};
const network = {
  must: 'must be a CIDR such as "10.0.0.0/8" or the name of a network interface',
  accepts: isNetwork,
};
const place = matching(
  /^[A-Za-z0-9_.-]{1,128}$/,
  'must be 1 to 128 letters, digits, "_", "." and "-"',
);
const statuses = ['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'] as const;

/** Resolves the group `instance`. */
export function resolveInstance(group: Field, facts: HostFacts): ResolvedOptions['instance'] {
  const { instance } = defaults;
  const option = members(group, instance);
  return {
    instanceId: text(option('instanceId'), instanceId) ?? facts.randomId,
    hostName: resolveHostName(option('hostName'), facts.hostName),
    endpoints: texts(option('endpoints'), endpoint) ?? instance.endpoints,
    address: text(option('address'), address) ?? instance.address,
    preferredNetwork: text(option('preferredNetwork'), network) ?? instance.preferredNetwork,
    status: oneOf(option('status'), statuses) ?? instance.status,
    // The Java client publishes these variables too.
    properties: resolveProperties(
      option('properties'),
      facts.env,
      'SERVICECOMB_INSTANCE_PROPS',
      serviceStageVariables,
    ),
    statusFromHealth: providerToken(option('statusFromHealth')) ?? instance.statusFromHealth,
    dataCenter: resolveDataCenter(option('dataCenter')),
  };
}

function resolveHostName(field: Field, ofTheHost: string): string {
  const cut = Array.from(ofTheHost).slice(0, 64).join('');
  return requiredText(orElse(field, cut, 'the host'), hostName);
}

function providerToken(field: Field): HealthSourceToken | undefined {
  const must = 'must be the class of a provider, or the string or symbol it is provided under';
  return check(field, must, (value): value is HealthSourceToken =>
    ['function', 'string', 'symbol'].includes(typeof value),
  );
}

function resolveDataCenter(group: Field): ResolvedOptions['instance']['dataCenter'] {
  const option = open(group, ['name', 'region', 'availableZone']);
  if (option === undefined) return defaults.instance.dataCenter;
  return {
    name: requiredText(option('name'), place),
    region: requiredText(option('region'), place),
    availableZone: requiredText(option('availableZone'), place),
  };
}

function isEndpoint(candidate: string): boolean {
  const [, bracketed, plain, port] =
    /^[a-z][a-z\d+.-]*:\/\/(?:\[(.+)\]|([^:]*)):(\d{1,5})(?:\?[^\s#]*)?$/i.exec(candidate) ?? [];
  const isReachable =
    bracketed === undefined ? plain === '' || isHost(plain ?? '') : isIPv6(bracketed);
  return isReachable && Number(port) >= 1 && Number(port) <= 65_535;
}

/** True for an IP address (version 6 without brackets) or a name. `999.1.1.1` is neither. */
function isHost(candidate: string): boolean {
  if (isIP(candidate) !== 0) return !candidate.includes('%');
  return /^[a-z\d_][a-z\d_.-]{0,252}$/i.test(candidate) && !/(^|\.)\d+$/.test(candidate);
}

function isNetwork(candidate: string): boolean {
  const [base = ''] = candidate.split('/');
  if (base !== candidate) return isWithin(base, candidate);
  return /\S/.test(candidate) && isIP(candidate) === 0;
}
