import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, expect, it } from '@jest/globals';
import { certificateAuthority } from '../support/certificates.js';
import { Cleanup } from '../support/test-app.js';

const script = 'build/tree/test/support/tls-context.js';
const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const authority = certificateAuthority();

async function serving(options: SecureContextOptions): Promise<string> {
  const certificate = authority.issue(['127.0.0.1']);
  const server = createServer({ ...certificate, ...options }, (_, response) => response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(async () => server.close());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('no variable of the environment turns verification off, or lets TLS be older than 1.2', async () => {
  const present = await serving({});
  const outdated = await serving({
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [script, authority.cert, present, outdated],
    {
      env: {
        ...process.env,
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
        NODE_OPTIONS: '--tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0',
      },
    },
  );
  expect(stdout.trim().split('\n')).toEqual([
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'answered',
    expect.stringMatching(/^(EPROTO|ERR_SSL_.*PROTOCOL.*)$/),
    expect.stringMatching(/^(EPROTO|ERR_SSL_.*PROTOCOL.*)$/),
  ]);
});
