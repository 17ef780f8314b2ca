const unknownAuthority =
  'Its certificate is signed by nobody who is known here: set serviceCenter.tls.ca or caFile to the ' +
  'certificate of its authority';
const clientCertificate =
  'It wants a certificate of this client, and got none or one that it does not accept: set ' +
  'serviceCenter.tls.cert and key, or certFile and keyFile';
const plainPort =
  'What listens there does not speak TLS: if it is the registry, its address begins with http://';
const noCommonVersion =
  'It speaks no version of TLS that is spoken here: TLSv1.2, or what serviceCenter.tls.minVersion says, ' +
  'is the oldest';
const noHandshake =
  'It refuses the handshake. Where it wants a certificate of this client, set serviceCenter.tls.cert and ' +
  'key, or certFile and keyFile; else look at its versions of TLS, its ciphers and the kind of its key';

/**
 * What to do about a failure, by Node's code for it (measured M13). Versions of Node and OpenSSL differ
 * in how they name the same alert, and `EPROTO` names none: there the text does.
 */
const advices: readonly (readonly [codes: RegExp, texts: RegExp | undefined, advice: string])[] = [
  [
    /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|CERT_(UNTRUSTED|SIGNATURE_FAILURE))$/,
    undefined,
    unknownAuthority,
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    undefined,
    'Its certificate is for another host name: use one that it is for in serviceCenter.addresses, or ' +
      'set serviceCenter.tls.servername',
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    undefined,
    'Its certificate, or that of its authority, has expired: replace it, or set the clock of this machine',
  ],
  [
    /^CERT_NOT_YET_VALID$/,
    undefined,
    'Its certificate is not valid yet: set the clock of this machine, or replace it at the registry',
  ],
  [
    /ALERT_CERTIFICATE_EXPIRED$/,
    /alert certificate expired|alert number 45\b/,
    'The certificate of this client has expired: replace what serviceCenter.tls.cert or certFile holds',
  ],
  [
    /ALERT_(NO_CERTIFICATE|(BAD_|UNSUPPORTED_)?CERTIFICATE(_REQUIRED|_UNKNOWN|_REVOKED)?|UNKNOWN_CA)$/,
    /alert (bad certificate|certificate (required|unknown|revoked)|unknown ca)|alert number (4[1-46]|48|116)\b/,
    clientCertificate,
  ],
  [
    /(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/,
    /wrong version number|packet length/,
    plainPort,
  ],
  [
    /(UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION)$/,
    /unsupported protocol|alert protocol version|alert number 70\b/,
    noCommonVersion,
  ],
  [/ALERT_HANDSHAKE_FAILURE$/, /handshake failure|alert number 40\b/, noHandshake],
  [
    /^ERR_PROXY_UNREACHABLE$/,
    undefined,
    'The proxy does not answer, or does not speak HTTP: look at serviceCenter.proxy',
  ],
  [
    /^ERR_PROXY_REFUSED_407$/,
    undefined,
    'The proxy wants a user and a password, and got none or wrong ones: look at serviceCenter.proxy',
  ],
  [
    /^ERR_PROXY_REFUSED_\d+$/,
    undefined,
    'The proxy does not let this client through to the registry, or does not reach it',
  ],
];

/**
 * A sentence that says what to do about a failure; undefined where the code says it all. A failure of our
 * own tunnel says in its message which proxy it was.
 */
export function adviceOn(code: string, error: unknown): string | undefined {
  const text = code === 'EPROTO' ? messageOf(error) : '';
  const [, , advice] =
    advices.find(([codes, texts]) => codes.test(code) || (texts?.test(text) ?? false)) ?? [];
  return code.startsWith('ERR_PROXY_') ? `${advice} (${messageOf(error)})` : advice;
}

function messageOf(error: unknown): string {
  const message: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : '';
  return typeof message === 'string' ? message : '';
}

/** Whether a server complains in plain text that TLS was due: Go's words, and nginx's. */
export function speaksTls(body: string): boolean {
  return /HTTP request (to an|was sent to) HTTPS (server|port)/.test(body);
}
