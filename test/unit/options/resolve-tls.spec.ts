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
      ca: `${authority.cert}\n${one.cert}`,
      cert: one.cert,
      key: one.key,
    });
  });

  it('shows no secret when it is printed', () => {
    const printed = JSON.stringify(tls({ ...one })) + String(Object.values(tls({ ...one })));
    expect(printed).not.toContain('PRIVATE');
  });

  it('speaks no version below 1.2, and the one that is told', () => {
    expect(tls({}).serviceCenter.tls.minVersion).toBe('TLSv1.2');
    expect(tls({ minVersion: 'TLSv1.3' }).serviceCenter.tls.minVersion).toBe('TLSv1.3');
  });

  const pem = 'must be certificates in PEM, each whole';
  it.each([
    [{ caFile: '/nosuch' }, 'caFile cannot be read: ENOENT'],
    [{ ca: 'abc' }, `ca ${pem}`],
    [{ caFile: '/half' }, `caFile ${pem}`],
    [{ ca: authority.cert + one.cert.slice(0, 300) }, `ca ${pem}`],
    [{ ca: [] }, 'ca must be PEM as text or Buffer, or a list of them'],
    [{ ca: '', caFile: '/ca' }, 'caFile must not be set beside serviceCenter.tls.ca'],
    [{ cert: other.cert, keyFile: '/key' }, 'keyFile is not the private key of the certificate'],
    [{ key: 7, cert: one.cert }, 'key must be PEM as text or Buffer'],
    [{ passphrase: Buffer.from('s3cret'), ...one }, 'passphrase must be text'],
    [{ servername: 'http://a' }, 'servername must be a host name, got "http://a"'],
    [{ minVersion: 'TLSv1.1' }, 'minVersion must be one of "TLSv1.2", "TLSv1.3", got "TLSv1.1"'],
    [{ rejectUnauthorized: 'no' }, 'rejectUnauthorized must be true or false, got "no"'],
    [{ cer: 'x' }, 'cer is not an option; did you mean serviceCenter.tls.cert?'],
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
