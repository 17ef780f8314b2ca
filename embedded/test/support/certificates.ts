import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A certificate with its private key, both in PEM. */
interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority. */
export interface Authority extends Certified {
  /**
   * Issues a certificate for some host names, and for 127.0.0.1 if it is named, that is valid until
   * a moment, by default one day ahead.
   */
  issue(hosts: readonly string[], kind?: KeyKind, goodUntil?: number): Certified;
}

type KeyKind = 'rsa' | 'ec';

/** One key pair of each kind, because generating keys takes time. */
const keyPairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

/** Creates an authority that is not trusted yet; its certificates are valid from two days ago. */
export function certificateAuthority(name = 'Test CA'): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const issuer = { name, privateKey };
  const isAuthority = extension('551d13', der(0x30, der(0x01, Buffer.of(0xff))), true);
  return {
    cert: certificate({ name, publicKey, extension: isAuthority, goodUntil: dayAhead() }, issuer),
    key: pemOf(privateKey),
    issue: (hosts, kind = 'rsa', goodUntil = dayAhead()) => {
      const pair = keyPairs[kind];
      const subject = {
        name: hosts[0] ?? '',
        publicKey: pair.publicKey,
        extension: hostsOf(hosts),
        goodUntil,
      };
      return { cert: certificate(subject, issuer), key: pemOf(pair.privateKey) };
    },
  };
}

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly extension: Buffer;
  readonly goodUntil: number;
}

const dayMs = 86_400_000;
const dayAhead = () => Date.now() + dayMs;

interface Issuer {
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** Returns an X.509 version 3 certificate, signed with RSA and SHA-256 (RFC 5280, 4.1). */
function certificate(subject: Subject, issuer: Issuer): string {
  const body = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    sha256WithRsa,
    distinguishedName(issuer.name),
    sequence(time(Date.now() - 2 * dayMs), time(subject.goodUntil)),
    distinguishedName(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(subject.extension)),
  );
  const signature = sign('sha256', body, issuer.privateKey);
  const text = sequence(body, sha256WithRsa, bits(signature)).toString('base64');
  const lines = text.replaceAll(/.{64}/g, line => `${line}\n`);
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = Buffer.from(length.toString(16).padStart(length > 255 ? 4 : 2, '0'), 'hex');
  const head = length < 128 ? size : Buffer.concat([Buffer.of(0x80 + size.length), size]);
  return Buffer.concat([Buffer.of(tag), head, content]);
}

const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
const integer = (bytes: Buffer) => der(0x02, bytes);
const bits = (bytes: Buffer) => der(0x03, Buffer.of(0), bytes);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const sha256WithRsa = sequence(oid('2a864886f70d01010b'), der(0x05));

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? der(0x01, Buffer.of(0xff)) : Buffer.alloc(0);
  return sequence(oid(id), critical, der(0x04, value));
}

/** Returns the alternative names: IPv4 addresses as such, everything else as host names. */
function hostsOf(hosts: readonly string[]): Buffer {
  const names = hosts.map(host =>
    /^[\d.]+$/.test(host)
      ? der(0x87, Buffer.from(host.split('.').map(Number)))
      : der(0x82, Buffer.from(host)),
  );
  return extension('551d11', sequence(...names));
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
