import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { certificateAuthority } from '../../support/certificates.js';
import { issuesOf, resolve } from './resolving.js';

const authority = certificateAuthority();
const one = authority.issue(['one']);
const other = authority.issue(['other'], 'ec');
const files: Readonly<Record<string, string>> = {
  '/ca': authority.cert,
  '/cert': one.cert,
  '/key': `${one.key}\n`,
  '/half': one.cert.slice(0, 300),
};
const facts = {
  readFile: (path: string) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
    return text;
  },
};
const tls = (options: unknown) => resolve({ serviceCenter: { tls: options } }, facts);
const issues = (options: unknown) => issuesOf({ serviceCenter: { tls: options } }, facts);

describe('serviceCenter.tls', () => {
  it('takes texts, Buffers and files', () => {
    const ca = [authority.cert, Buffer.from(one.cert)];
    const options = { ca, cert: Buffer.from(one.cert), keyFile: '/key' };
    expect(tls(options).serviceCenter.tls.material?.()).toEqual({
      ca: `${authority.cert.trim()}\n${one.cert.trim()}`,
      cert: one.cert.trim(),
      key: one.key,
    });
  });

  it.each([
    ['with the line ends of Windows', (pem: string) => pem.replaceAll('\n', '\r\n')],
    ['behind a byte order mark', (pem: string) => `\ufeff${pem}`],
    ['behind text on the same line', (pem: string) => `subject: a ${pem}`],
    ['behind comments', (pem: string) => `Bag Attributes\n  friendlyName: a\n${pem}`],
  ])('takes certificates %s, each whole on lines of its own', (_, written) => {
    const material = tls({
      ...one,
      ca: written(authority.cert),
      cert: written(one.cert),
    }).serviceCenter.tls.material?.();
    expect(material?.ca?.replaceAll('\r', '')).toBe(authority.cert.trim());
    expect(material?.cert?.replaceAll('\r', '')).toBe(one.cert.trim());
  });

  it('parts certificates that were put together without a line break', () => {
    const ca = authority.cert.trim() + other.cert.trim();
    const material = tls({ ca }).serviceCenter.tls.material?.();
    expect(material?.ca).toBe(`${authority.cert.trim()}\n${other.cert.trim()}`);
  });

  it.each([
    ['PKCS#8', one, { type: 'pkcs8' }],
    ['PKCS#1', one, { type: 'pkcs1' }],
    ['SEC 1', other, { type: 'sec1' }],
    ['PKCS#8, encrypted', other, { type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 's3cret' }],
    ['PKCS#1, encrypted', one, { type: 'pkcs1', cipher: 'aes-256-cbc', passphrase: 's3cret' }],
  ] as const)('takes a private key as %s', (_, { cert, key }, form) => {
    const pem = createPrivateKey(key)
      .export({ ...form, format: 'pem' })
      .toString();
    const passphrase = 'passphrase' in form ? form.passphrase : undefined;
    expect(issues({ cert, key: pem, passphrase })).toEqual([]);
    if (passphrase !== undefined)
      expect(issues({ cert, key: pem })).toEqual([
        'serviceCenter.tls.key is encrypted: set serviceCenter.tls.passphrase or passphraseFile',
      ]);
  });

  it('shows no secret when it is printed', () => {
    const printed = JSON.stringify(tls({ ...one })) + String(Object.values(tls({ ...one })));
    expect(printed).not.toContain('PRIVATE');
  });

  it('speaks no version below 1.2, and the one that is told', () => {
    expect(tls({}).serviceCenter.tls.minVersion).toBe('TLSv1.2');
    expect(tls({ minVersion: 'TLSv1.3' }).serviceCenter.tls.minVersion).toBe('TLSv1.3');
  });

  const servername = 'servername must be a host name, not an IP address';
  const pem = 'must be certificates in PEM, each whole';
  it.each([
    [{ caFile: '/nosuch' }, 'caFile cannot be read: ENOENT'],
    [{ ca: 'abc' }, `ca ${pem}`],
    [{ caFile: '/half' }, `caFile ${pem}`],
    [{ ca: authority.cert + one.cert.slice(0, 300) }, `ca ${pem}`],
    [{ ca: [] }, 'ca must be PEM as text or Buffer, or a list of them'],
    [{ ca: '', caFile: '/ca' }, 'caFile must not be set together with serviceCenter.tls.ca'],
    [{ cert: other.cert, keyFile: '/key' }, 'keyFile is not the private key of the certificate'],
    [{ key: 7, cert: one.cert }, 'key must be PEM as text or Buffer'],
    [{ passphrase: Buffer.from('s3cret'), ...one }, 'passphrase must be text'],
    [{ servername: 'http://a' }, `${servername}, got "http://a"`],
    [{ servername: '10.0.0.7' }, `${servername}, got "10.0.0.7"`],
    [{ servername: '::1' }, `${servername}, got "::1"`],
    [{ minVersion: 'TLSv1.1' }, 'minVersion must be one of "TLSv1.2", "TLSv1.3", got "TLSv1.1"'],
    [{ rejectUnauthorized: 'no' }, 'rejectUnauthorized must be true or false, got "no"'],
    [
      { cer: 'x' },
      'cer is not an option; valid options are ca, caFile, cert, certFile, key, keyFile, passphrase, ' +
        'passphraseFile, servername, rejectUnauthorized, minVersion',
    ],
  ])('refuses %#', (options, issue) => {
    expect(issues(options)).toEqual([`serviceCenter.tls.${issue}`]);
  });

  it.each([
    [{ cert: one.cert }, 'must have both a certificate and its private key, or neither'],
    [{ keyFile: '/key' }, 'must have both a certificate and its private key, or neither'],
    [{ passphrase: 's3cret' }, 'must have no passphrase without a private key'],
  ])('refuses the half of a pair %#', (options, issue) => {
    expect(issues(options)).toEqual([`serviceCenter.tls ${issue}`]);
  });

  it('refuses a key that cannot be read without telling it', () => {
    const [issue] = issues({ cert: one.cert, key: 's3cret', passphrase: 's3cret' });
    expect(issue).toMatch(/^serviceCenter\.tls\.key must be a private key in PEM/);
    expect(issue).not.toContain('s3cret');
  });
});
