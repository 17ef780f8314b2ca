import { describe, expect, it } from '@jest/globals';
import { adviceOn, speaksTls } from '../../../lib/protocol/advice.js';

describe('the advice on a failure', () => {
  it.each([
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls.ca or caFile'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls.ca or caFile'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls.ca or caFile'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls.ca or caFile'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'another host name'],
    ['CERT_HAS_EXPIRED', 'has expired'],
    ['CERT_NOT_YET_VALID', 'not valid yet'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'certificate of this client'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'certificate of this client'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'certificate of this client'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'of this client has expired'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'begins with http://'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'no version of TLS'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'refuses the handshake'],
    ['ERR_PROXY_UNREACHABLE', 'The proxy does not answer'],
    ['ERR_PROXY_REFUSED_407', 'a user and a password'],
    ['ERR_PROXY_REFUSED_403', 'does not let this client through'],
  ])('of %s says: %s', (code, words) => {
    expect(adviceOn(code, new Error(code))).toContain(words);
  });

  it.each([
    ['sslv3 alert bad certificate:SSL alert number 42', 'certificate of this client'],
    ['tlsv13 alert certificate required:SSL alert number 116', 'certificate of this client'],
    ['sslv3 alert certificate expired:SSL alert number 45', 'of this client has expired'],
    ['ssl3_get_record:wrong version number', 'begins with http://'],
    ['tlsv1 alert protocol version:SSL alert number 70', 'no version of TLS'],
    ['sslv3 alert handshake failure:SSL alert number 40', 'refuses the handshake'],
  ])('of EPROTO goes by its text: %s', (message, words) => {
    expect(adviceOn('EPROTO', new Error(`write EPROTO ${message}`))).toContain(words);
  });

  it('on a proxy names it, and why it was not reached', () => {
    const error = new Error('proxy p:3128: ECONNREFUSED');
    expect(adviceOn('ERR_PROXY_UNREACHABLE', error)).toBe(
      'The proxy does not answer, or does not speak HTTP: look at serviceCenter.proxy ' +
        '(proxy p:3128: ECONNREFUSED)',
    );
  });

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPROTO'])('is none for %s', code => {
    expect(adviceOn(code, null)).toBeUndefined();
  });
});

describe('a port of TLS that is spoken to in plain HTTP', () => {
  it.each([
    ['Go’s', 'Client sent an HTTP request to an HTTPS server.\n', true],
    ['nginx’s', '<h1>The plain HTTP request was sent to HTTPS port</h1>', true],
    ['no', 'Bad Request', false],
  ])('is known by %s words', (_, body, expected) => {
    expect(speaksTls(body)).toBe(expected);
  });
});
