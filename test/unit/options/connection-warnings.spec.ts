import { describe, expect, it } from '@jest/globals';
import { connectionWarnings } from '../../../lib/options/connection-warnings.js';
import { certificateAuthority } from '../../support/certificates.js';
import { resolve } from './resolving.js';

const ca = certificateAuthority().cert;
const warningsOf = (serviceCenter: object) =>
  connectionWarnings(resolve({ serviceCenter }).serviceCenter);

describe('credentials that are sent unencrypted', () => {
  const auth = { token: 't' };

  it('are a warning for each plain http address beyond this machine', () => {
    const plain = [
      'http://10.0.0.5:30100',
      'http://127.example.com',
      'http://localhost.example.com',
    ];
    expect(warningsOf({ addresses: [...plain, 'https://10.0.0.6'], auth })).toEqual(
      plain.map(address => `Credentials are sent to ${address} unencrypted: use https`),
    );
  });

  it.each([
    [{ addresses: ['http://127.0.0.1:1', 'http://localhost:1', 'http://[::1]:1'], auth }],
    [{ addresses: ['http://10.0.0.5:30100'] }],
  ])('are none in %j', serviceCenter => {
    expect(warningsOf(serviceCenter)).toEqual([]);
  });
});

describe('a warning about TLS', () => {
  const httpsAgent = {};

  it.each([
    [{ tls: { rejectUnauthorized: false } }, /^INSECURE: .*tls\.rejectUnauthorized is false/],
    [
      { addresses: ['https://a'], tls: { ca }, axios: { httpsAgent } },
      /^serviceCenter\.tls has no effect: serviceCenter\.axios\.httpsAgent replaces it; remove one of them$/,
    ],
    [{ addresses: ['http://a'], tls: { ca } }, /has no effect: no address .* https:/],
    [{ addresses: ['http://a'], tls: { servername: 'b' } }, /has no effect: no address/],
  ] as const)('is logged for %#', (serviceCenter, warning) => {
    expect(warningsOf(serviceCenter)).toEqual([expect.stringMatching(warning)]);
  });

  it.each([
    [{}],
    [{ addresses: ['https://a'], tls: { ca } }],
    [{ addresses: ['https://a'], axios: { httpsAgent } }],
    [{ addresses: ['http://a'], learnAddresses: true, tls: { ca } }],
  ])('is not logged for %#', serviceCenter => {
    expect(warningsOf(serviceCenter)).toEqual([]);
  });
});
