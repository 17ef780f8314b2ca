import { describe, expect, it } from '@jest/globals';
import { mayBeCredentials, type SocketEnd, watchError } from '../../../lib/protocol/open-socket.js';

const coded = (code: string) => Object.assign(new Error(code), { code });

describe('the end of a watcher', () => {
  it.each<readonly [SocketEnd, string]>([
    [
      { kind: 'refused', status: 404 },
      'Service Center\'s answer to "watch" at http://a:1 is not a WebSocket handshake: "HTTP 404"',
    ],
    [
      { kind: 'closed', code: 1006 },
      'Service Center is unreachable for "watch" at http://a:1: closed (1006)',
    ],
    [
      { kind: 'failed', error: coded('ECONNREFUSED') },
      'Service Center is unreachable for "watch" at http://a:1: ECONNREFUSED',
    ],
    [
      { kind: 'failed', error: coded('CERT_HAS_EXPIRED') },
      'Service Center is unreachable for "watch" at http://a:1: CERT_HAS_EXPIRED. Its certificate, or ' +
        'that of its authority, has expired: replace it, or correct the clock of this machine',
    ],
  ])('%j is an error in words', (end, message) => {
    expect(watchError(end, 'http://a:1', 5_000).message).toBe(message);
  });

  it('throws what is a bug', () => {
    const end: SocketEnd = { kind: 'failed', error: new TypeError('a bug') };
    expect(() => watchError(end, 'http://a:1', 5_000)).toThrow('a bug');
  });

  it.each<readonly [SocketEnd, boolean]>([
    [{ kind: 'refused', status: 200 }, true],
    [{ kind: 'refused', status: 401 }, true],
    [{ kind: 'refused', status: 403 }, false],
    [{ kind: 'closed', code: 1006 }, false],
  ])('%j may be because of the credentials: %p', (end, may) => {
    expect(mayBeCredentials(end)).toBe(may);
  });
});
