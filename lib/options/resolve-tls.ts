import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, DEFAULT_MIN_VERSION } from 'node:tls';
import { codeOf } from '../errors.js';
import { flag, matching, oneOf, text } from './check.js';
import { defaults } from './defaults.js';
import { members, type Field } from './field.js';
import type { HostFacts } from './host-facts.js';
import type { ServiceCenterTlsOptions } from './options.js';
import type { ResolvedTls, TlsMaterial, TlsPart, TlsReading } from './resolved-options.js';

const parts = ['ca', 'cert', 'key', 'passphrase'] as const satisfies readonly TlsPart[];

/** Where a part comes from: the option itself, behind a function so that nothing prints it, or a file. */
type Source =
  | { readonly kind: 'given'; readonly text: () => string }
  | { readonly kind: 'file'; readonly path: string };

type Sources = Readonly<Record<TlsPart, Source | undefined>>;

type Option = (name: keyof ServiceCenterTlsOptions) => Field;

const path = matching(/^[^\0]+$/, 'must be the path of a file');
// TLS has no place for an IP address as a name (RFC 6066, 3), though Node would send one.
const servername = matching(
  /^(?!\d+\.\d+\.\d+\.\d+$)[^\s/:]{1,255}$/,
  'must be a host name, not an IP address',
);
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** Resolves the group `serviceCenter.tls`. Reads its files, so that a wrong path is found at the start. */
export function resolveTls(group: Field, readFile: HostFacts['readFile']): ResolvedTls {
  const { tls } = defaults.serviceCenter;
  const option: Option = members(group, tls);
  const issuesBefore = group.issues.length;
  const sources: Sources = {
    ca: sourceOf(option, 'ca'),
    cert: sourceOf(option, 'cert'),
    key: sourceOf(option, 'key'),
    passphrase: sourceOf(option, 'passphrase'),
  };
  const isPlausible = group.issues.length === issuesBefore;
  const material = isPlausible ? materialOf(group, sources, readFile) : {};
  return {
    material: Object.keys(material).length === 0 ? undefined : () => material,
    files: filesOf(sources),
    servername: text(option('servername'), servername) ?? tls.servername,
    rejectUnauthorized: flag(option('rejectUnauthorized')) ?? tls.rejectUnauthorized,
    minVersion: oneOf(option('minVersion'), versions) ?? defaultMinVersion(),
  };
}

function filesOf(sources: Sources): ResolvedTls['files'] {
  const paths = Object.values(sources).flatMap(source =>
    source?.kind === 'file' ? source.path : [],
  );
  return paths.length === 0 ? undefined : { paths, read: read => readMaterial(sources, read) };
}

/** Node's flag `--tls-min-v1.0` is for other servers: the registry gets no TLS below 1.2. */
function defaultMinVersion(): ResolvedTls['minVersion'] {
  return DEFAULT_MIN_VERSION === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2';
}

function sourceOf(option: Option, part: TlsPart): Source | undefined {
  const given = option(part);
  const file = option(`${part}File`);
  if (given.value !== undefined && file.value !== undefined)
    return issue(file, `must not be set together with ${given.path}`);
  const filePath = text(file, path);
  if (filePath !== undefined) return { kind: 'file', path: filePath };
  if (given.value === undefined) return undefined;
  const secret = textIn(given.value, part);
  if (secret === undefined) return issue(given, musts[part]);
  return { kind: 'given', text: () => secret };
}

const musts = {
  ca: 'must be PEM as text or Buffer, or a list of them',
  cert: 'must be PEM as text or Buffer',
  key: 'must be PEM as text or Buffer',
  passphrase: 'must be text',
} as const;

function textIn(value: unknown, part: TlsPart): string | undefined {
  if (part === 'ca' && Array.isArray(value)) {
    const texts = value.map((item: unknown) => textIn(item, 'cert'));
    const isComplete = texts.length > 0 && !texts.includes(undefined);
    return isComplete ? texts.join('\n') : undefined;
  }
  if (part !== 'passphrase' && Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns nothing after an issue. */
function materialOf(group: Field, sources: Sources, readFile: HostFacts['readFile']): TlsMaterial {
  const { cert, key, passphrase } = sources;
  if ((cert === undefined) !== (key === undefined))
    issue(group, 'must have both a certificate and its private key, or neither');
  else if (passphrase !== undefined && key === undefined)
    issue(group, 'must have no passphrase without a private key');
  const reading = readMaterial(sources, readFile);
  if (reading.kind === 'good') return reading.material;
  issue({ ...group, path: `${group.path}.${reading.option}` }, reading.problem);
  return {};
}

/** Adds an issue without the value, which may be a key or a part of one. */
function issue({ path, issues }: Field, message: string): undefined {
  issues.push({ path, message });
}

/** Gathers the parts and checks that they fit together: TLS accepts whatever passes. */
function readMaterial(sources: Sources, readFile: (path: string) => string): TlsReading {
  const bad = (part: TlsPart, problem: string): TlsReading => {
    const option = sources[part]?.kind === 'file' ? `${part}File` : part;
    return { kind: 'bad', option, problem };
  };
  const material: TlsMaterial = {};
  for (const part of parts) {
    const source = sources[part];
    if (source === undefined) continue;
    try {
      material[part] =
        source.kind === 'given'
          ? source.text()
          : readFile(source.path).replace(/^\ufeff|\r?\n$/g, '');
    } catch (error) {
      return bad(part, `cannot be read: ${codeOf(error) ?? 'unknown reason'}`);
    }
  }
  const problem = problemOf(material);
  if (problem !== undefined) return bad(...problem);
  const { ca, cert } = material;
  const clean = { ...(ca && { ca: linesOf(ca) }), ...(cert && { cert: linesOf(cert) }) };
  return { kind: 'good', material: { ...material, ...clean } };
}

/** Puts each certificate on lines of its own: OpenSSL skips one that begins where another line ends. */
function linesOf(pem: string): string {
  return (pem.match(wholeCertificate) ?? []).join('\n');
}

const wholeCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

const noCertificate = 'must be certificates in PEM, each whole';
const encrypted = 'is encrypted: set serviceCenter.tls.passphrase or passphraseFile';

function problemOf({ ca, cert, key, passphrase }: TlsMaterial): [TlsPart, string] | undefined {
  if (ca !== undefined && !isCertificates(ca)) return ['ca', noCertificate];
  if (cert === undefined || key === undefined) return undefined;
  if (!isCertificates(cert)) return ['cert', noCertificate];
  if (passphrase === undefined && /ENCRYPTED/.test(key)) return ['key', encrypted];
  const problem = keyProblem(linesOf(cert), key, passphrase === undefined ? {} : { passphrase });
  return problem === undefined ? undefined : ['key', problem];
}

function keyProblem(cert: string, key: string, opens: { passphrase?: string }): string | undefined {
  try {
    const privateKey = createPrivateKey({ key, ...opens });
    if (!new X509Certificate(cert).checkPrivateKey(privateKey))
      return 'is not the private key of the certificate';
    createSecureContext({ cert, key, ...opens });
    return undefined;
  } catch (error) {
    // The code alone: a message of OpenSSL may quote the key.
    const reason = codeOf(error) ?? 'unknown reason';
    return `must be a private key in PEM that the passphrase opens: ${reason}`;
  }
}

/** TLS silently accepts a bundle that is cut off, or none at all, and trusts what is left. */
function isCertificates(pem: string): boolean {
  const whole = pem.match(wholeCertificate) ?? [];
  const begun = pem.match(/-----BEGIN CERTIFICATE-----/g) ?? [];
  return whole.length > 0 && whole.length === begun.length && whole.every(isCertificate);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
