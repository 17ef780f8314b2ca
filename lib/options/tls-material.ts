import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** A text of PEM: given as such, behind a function so that nothing prints it; or in a file. */
export type Material =
  | { readonly kind: 'given'; readonly text: () => string }
  | { readonly kind: 'file'; readonly path: string };

/** The parts of TLS that can be in a file. */
export interface MaterialSources {
  readonly ca: Material | undefined;
  readonly cert: Material | undefined;
  readonly key: Material | undefined;
  readonly passphrase: Material | undefined;
}

const parts = ['ca', 'cert', 'key', 'passphrase'] as const;

type Part = (typeof parts)[number];

/** How to speak TLS, as the library reads it. */
export interface ResolvedTls extends MaterialSources {
  /** Undefined: the host of the address. */
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** What the sources held at the start; undefined without any. */
  readonly material: (() => TlsMaterial) | undefined;
}

/** What a connection over TLS is made with, as texts. */
export type TlsMaterial = Partial<Record<Part, string>>;

/** Which part cannot be used and why, in words that follow the option's name; nothing of it is told. */
export interface MaterialProblem {
  readonly part: Part;
  readonly problem: string;
}

/** What came of reading: all parts, which fit together, or the first problem. */
export type MaterialReading =
  | { readonly kind: 'good'; readonly material: TlsMaterial }
  | ({ readonly kind: 'bad' } & MaterialProblem);

/** The paths of the parts that are in files. */
export function materialFiles(sources: MaterialSources): readonly string[] {
  return partsOf(sources).flatMap(([, source]) => (source.kind === 'file' ? [source.path] : []));
}

/** The option that holds a part: `key` or `keyFile`. */
export function optionOf(sources: MaterialSources, part: Part): string {
  return sources[part]?.kind === 'file' ? `${part}File` : part;
}

/** Gathers the parts and checks that they fit: what passes here, TLS takes. */
export function readMaterial(
  sources: MaterialSources,
  readFile: (path: string) => string,
): MaterialReading {
  const texts = partsOf(sources).map(([part, source]) => [part, textOf(source, readFile)] as const);
  for (const [part, text] of texts)
    if (typeof text !== 'string') return { kind: 'bad', part, problem: text.problem };
  const material: TlsMaterial = Object.fromEntries(texts);
  const found = firstProblem(material);
  if (found !== undefined) return { kind: 'bad', ...found };
  const { ca, cert } = material;
  const clean = { ...(ca && { ca: linesOf(ca) }), ...(cert && { cert: linesOf(cert) }) };
  return { kind: 'good', material: { ...material, ...clean } };
}

/** Each certificate on lines of its own: OpenSSL passes over one that begins where another line ends. */
function linesOf(pem: string): string {
  return (pem.match(wholeCertificate) ?? []).join('\n');
}

const wholeCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function partsOf(sources: MaterialSources): readonly (readonly [Part, Material])[] {
  return parts.flatMap(part => {
    const source = sources[part];
    return source === undefined ? [] : [[part, source] as const];
  });
}

function textOf(source: Material, readFile: (path: string) => string) {
  if (source.kind === 'given') return source.text();
  try {
    return readFile(source.path).replace(/\r?\n$/, '');
  } catch (error) {
    return { problem: `cannot be read: ${codeOf(error)}` };
  }
}

function firstProblem({ ca, cert, key, passphrase }: TlsMaterial): MaterialProblem | undefined {
  if (ca !== undefined && !isCertificates(ca)) return { part: 'ca', problem: noCertificate };
  if (cert === undefined || key === undefined) return undefined;
  if (!isCertificates(cert)) return { part: 'cert', problem: noCertificate };
  return pairProblem(linesOf(cert), key, passphrase);
}

const encrypted = 'is encrypted: set serviceCenter.tls.passphrase or passphraseFile';
const noCertificate = 'must be certificates in PEM, each whole';

function pairProblem(
  cert: string,
  key: string,
  passphrase: string | undefined,
): MaterialProblem | undefined {
  const opens = passphrase === undefined ? {} : { passphrase };
  if (passphrase === undefined && /ENCRYPTED/.test(key)) return { part: 'key', problem: encrypted };
  try {
    const privateKey = createPrivateKey({ key, ...opens });
    if (!new X509Certificate(cert).checkPrivateKey(privateKey))
      return { part: 'key', problem: 'is not the private key of the certificate' };
    createSecureContext({ cert, key, ...opens });
    return undefined;
  } catch (error) {
    const problem = `must be a private key in PEM, which the passphrase opens: ${codeOf(error)}`;
    return { part: 'key', problem };
  }
}

/** TLS takes a bundle that is cut off, or no bundle at all, without a word, and trusts what is left. */
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

/** The code alone: a message of OpenSSL's may quote. */
function codeOf(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'unknown reason';
}
