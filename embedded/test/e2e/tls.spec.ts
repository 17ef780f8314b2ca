import { get } from 'node:http';
import { Agent, request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { EmbeddedServiceCenter } from '../../lib/index.js';
import type { TlsOptions } from '../../lib/index.js';
import { certificateAuthority } from '../support/certificates.js';
import { rawExchange, started } from './server.js';

const authority = certificateAuthority();
const stranger = certificateAuthority('Nobody');
const server = authority.issue(['localhost', '127.0.0.1']);
const client = authority.issue(['client']);
const trusting = { ca: authority.cert };

const secured = (tls: Partial<TlsOptions> = {}) => started({ tls: { ...server, ...tls } });

/** Returns status and text of an answer, or the code of the error. */
function outcome({ url }: { readonly url: string }, options: RequestOptions): Promise<string> {
  return new Promise(resolve => {
    const asked = request(`${url}/version`, { agent: false, ...options }, response => {
      response.resume().on('end', () => resolve(String(response.statusCode)));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end();
  });
}

describe('the embedded Service Center over TLS', () => {
  it('has an address of https', async () => {
    expect((await secured()).url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'answers who trusts its certificate: %s',
    async version => {
      const options = { ...trusting, minVersion: version, maxVersion: version };
      expect(await outcome(await secured(), options)).toBe('200');
    },
  );

  it('is not trusted by a client that does not know its authority', async () => {
    expect(await outcome(await secured(), {})).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('is not trusted under a name that its certificate does not have', async () => {
    const serviceCenter = await secured(authority.issue(['elsewhere.example']));
    expect(await outcome(serviceCenter, trusting)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('speaks TLS 1.2 by the four suites of a real server only', async () => {
    const serviceCenter = await secured();
    const ask = (ciphers: string) =>
      outcome(serviceCenter, { ...trusting, maxVersion: 'TLSv1.2', ciphers });
    expect(await ask('AES128-GCM-SHA256')).toBe('200');
    expect(await ask('ECDHE-RSA-CHACHA20-POLY1305')).not.toBe('200');
  });

  it('speaks 1.3 only with a certificate that is not RSA', async () => {
    const serviceCenter = await secured(authority.issue(['127.0.0.1'], 'ec'));
    expect(await outcome(serviceCenter, trusting)).toBe('200');
    expect(await outcome(serviceCenter, { ...trusting, maxVersion: 'TLSv1.2' })).not.toBe('200');
  });

  it('refuses a version below the least it speaks', async () => {
    const serviceCenter = await secured({ minVersion: 'TLSv1.3' });
    expect(await outcome(serviceCenter, trusting)).toBe('200');
    expect(await outcome(serviceCenter, { ...trusting, maxVersion: 'TLSv1.2' })).not.toBe('200');
  });

  it('answers plain HTTP as a real server does', async () => {
    const serviceCenter = await secured();
    const text = await rawExchange(serviceCenter, 'GET /version HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(text).toBe(
      'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n',
    );
    const version = await new Promise(resolve => {
      get(serviceCenter.url.replace('https', 'http'), ({ httpVersion, statusCode }) =>
        resolve(`${httpVersion} ${statusCode}`),
      );
    });
    expect(version).toBe('1.0 400');
  });

  it('closes a connection of something else', async () => {
    expect(await rawExchange(await secured(), 'SSH-2.0-OpenSSH\r\n')).not.toContain('HTTP');
  });

  it('keeps a connection for the next request', async () => {
    const serviceCenter = await secured();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const options = { ...trusting, agent };
    expect(await outcome(serviceCenter, options)).toBe('200');
    expect(await outcome(serviceCenter, options)).toBe('200');
    agent.destroy();
  });

  it('serves a request that asks for another protocol as if it had not', async () => {
    const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c' };
    expect(await outcome(await secured(), { ...trusting, headers })).toBe('200');
  });

  it('serves WebSockets', async () => {
    const serviceCenter = await secured();
    const path = '/v4/default/registry/microservices/nosuch/watcher';
    const socket = new WebSocket(serviceCenter.url.replace('http', 'ws') + path, trusting);
    const text = await new Promise(resolve => {
      socket.on('message', (data: Buffer) => resolve(data.toString()));
    });
    expect(text).toBe('service does not exist');
  });

  it('has faults like any other', async () => {
    const serviceCenter = await secured();
    serviceCenter.faults.reset({ times: 1 });
    expect(await outcome(serviceCenter, trusting)).toBe('ECONNRESET');
    serviceCenter.faults.hang({ times: 1 });
    const hung = outcome(serviceCenter, trusting);
    await new Promise<void>(resolve => {
      serviceCenter.onRequest(() => resolve());
    });
    const listen = await serviceCenter.faults.refuse();
    expect(await hung).toBe('ECONNRESET');
    expect(await outcome(serviceCenter, trusting)).toBe('ECONNREFUSED');
    await listen();
    expect(await outcome(serviceCenter, trusting)).toBe('200');
  });
});

describe('the embedded Service Center that asks for client certificates', () => {
  it('accepts a client with a certificate of its authority', async () => {
    const serviceCenter = await secured({ ca: authority.cert });
    expect(await outcome(serviceCenter, { ...trusting, ...client })).toBe('200');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('refuses a client without one: %s', async maxVersion => {
    const serviceCenter = await secured({ ca: authority.cert });
    expect(await outcome(serviceCenter, { ...trusting, maxVersion })).not.toBe('200');
    expect(serviceCenter.requests).toEqual([]);
  });

  it('refuses a client with one of another authority', async () => {
    const serviceCenter = await secured({ ca: authority.cert });
    const options = { ...trusting, ...stranger.issue(['client']) };
    expect(await outcome(serviceCenter, options)).not.toBe('200');
  });

  it('does not ask for one if the option is false', async () => {
    const serviceCenter = await secured({ ca: authority.cert, requireClientCertificate: false });
    expect(await outcome(serviceCenter, trusting)).toBe('200');
  });

  it('wants an authority to ask', () => {
    const tls = { ...server, requireClientCertificate: true };
    expect(() => new EmbeddedServiceCenter({ tls })).toThrow('needs tls.ca');
  });

  it('does not show a key that it cannot read', () => {
    const tls = { ...server, key: 'my secret' };
    const make = () => new EmbeddedServiceCenter({ tls });
    expect(make).toThrow('tls.cert, tls.key or tls.ca cannot be read');
    expect(make).not.toThrow('my secret');
  });
});
