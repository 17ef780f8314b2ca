import { DEFAULT_MIN_VERSION } from 'node:tls';
import { flag, matching, oneOf, text } from './check.js';
import { defaults } from './defaults.js';
import { members, type Field } from './field.js';
import type { HostFacts } from './host-facts.js';
import type { ServiceCenterTlsOptions } from './options.js';
import {
  type Material,
  type MaterialSources,
  optionOf,
  readMaterial,
  type ResolvedTls,
  type TlsMaterial,
} from './tls-material.js';

type Option = (name: keyof ServiceCenterTlsOptions) => Field;
type Part = keyof MaterialSources;

const path = matching(/^[^\0]+$/, 'must be the path of a file');
// An IP address is no name: TLS has no place for it (RFC 6066, 3), though Node would try.
const servername = matching(
  /^(?!\d+\.\d+\.\d+\.\d+$)[^\s/:]{1,255}$/,
  'must be a host name, and no IP address',
);
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** The group `serviceCenter.tls`. Its files are read, so that a wrong path is found at the start. */
export function resolveTls(group: Field, readFile: HostFacts['readFile']): ResolvedTls {
  const { tls } = defaults.serviceCenter;
  const option: Option = members(group, tls);
  const issuesBefore = group.issues.length;
  const sources = {
    ca: source(option, 'ca'),
    cert: source(option, 'cert'),
    key: source(option, 'key'),
    passphrase: source(option, 'passphrase'),
  };
  const isPlausible = group.issues.length === issuesBefore;
  const material = isPlausible ? materialOf(group, sources, readFile) : {};
  return {
    ...sources,
    material: Object.keys(material).length === 0 ? undefined : () => material,
    servername: text(option('servername'), servername) ?? tls.servername,
    rejectUnauthorized: flag(option('rejectUnauthorized')) ?? tls.rejectUnauthorized,
    minVersion: oneOf(option('minVersion'), versions) ?? nodesOwn(),
  };
}

/** `--tls-min-v1.0` is for others: nothing below 1.2 is spoken to a registry. */
function nodesOwn(): ResolvedTls['minVersion'] {
  return DEFAULT_MIN_VERSION === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2';
}

function source(option: Option, part: Part): Material | undefined {
  const given = option(part);
  const file = option(`${part}File`);
  if (given.value !== undefined && file.value !== undefined)
    return issue(file, `must not be set beside ${given.path}`);
  const pathOf = text(file, path);
  if (pathOf !== undefined) return { kind: 'file', path: pathOf };
  if (given.value === undefined) return undefined;
  const secret = textOf(given.value, part);
  if (secret === undefined) return issue(given, musts[part]);
  return { kind: 'given', text: () => secret };
}

const musts = {
  ca: 'must be PEM as text or Buffer, or a list of them',
  cert: 'must be PEM as text or Buffer',
  key: 'must be PEM as text or Buffer',
  passphrase: 'must be text',
} as const;

function textOf(value: unknown, part: Part): string | undefined {
  if (part === 'ca' && Array.isArray(value)) {
    const texts = value.map((item: unknown) => textOf(item, 'cert'));
    return texts.length > 0 && texts.every(item => item !== undefined)
      ? texts.join('\n')
      : undefined;
  }
  if (part !== 'passphrase' && Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Empty after an issue. */
function materialOf(
  group: Field,
  sources: MaterialSources,
  readFile: HostFacts['readFile'],
): TlsMaterial {
  const { cert, key, passphrase } = sources;
  if ((cert === undefined) !== (key === undefined))
    issue(group, 'must have both a certificate and its private key, or neither');
  else if (passphrase !== undefined && key === undefined)
    issue(group, 'must have no passphrase without a private key');
  const reading = readMaterial(sources, readFile);
  if (reading.kind === 'good') return reading.material;
  const { part, problem } = reading;
  issue({ ...group, path: `${group.path}.${optionOf(sources, part)}` }, problem);
  return {};
}

/** Without the value: it may be a key, or a part of one. */
function issue({ path, issues }: Field, message: string): undefined {
  issues.push({ path, message });
}
