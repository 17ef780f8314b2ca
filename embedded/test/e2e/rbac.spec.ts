import { describe, expect, it } from '@jest/globals';
import { exchange } from '../support/exchange.js';
import { certificateAuthority } from '../support/certificates.js';
import { pem, rootPassword } from '../support/guarded-registry.js';
import { started } from './server.js';

const rbac = { rootPassword, privateKey: pem };

describe('the embedded Service Center with RBAC', () => {
  it('trades a password for a token that opens the registry', async () => {
    const { url } = await started({ rbac });
    const path = '/v4/default/registry/microservices';
    expect((await exchange(url, { path })).status).toBe(401);
    const body = { name: 'root', password: rootPassword };
    const { text } = await exchange(url, { method: 'POST', path: '/v4/token', body });
    const headers = { Authorization: `Bearer ${JSON.parse(text).token}` };
    expect((await exchange(url, { path, headers })).status).toBe(200);
  });

  it('writes down neither passwords nor tokens', async () => {
    const serviceCenter = await started({ rbac });
    const { url, rbac: signer } = serviceCenter;
    const token = signer?.sign({ account: 'root', roles: ['admin'] }) ?? '';
    const headers = { Authorization: `Bearer ${token}` };
    const login = { name: 'root', password: rootPassword };
    await exchange(url, { method: 'POST', path: '/v4/token', headers, body: login });
    const account = { name: 'dev', password: 'Complicated_password2', roles: ['developer'] };
    await exchange(url, { method: 'POST', path: '/v4/accounts', headers, body: account });
    await exchange(url, { method: 'GET', path: `/version?token=${token}` });
    const written = JSON.stringify(serviceCenter.requests);
    expect(serviceCenter.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(written).not.toContain('Complicated');
    expect(written).not.toContain(token);
    expect(serviceCenter.requests[0]).toMatchObject({
      headers: { authorization: 'Bearer ***' },
      body: '***',
    });
  });

  it('counts failures by the address of the connection unless a proxy reports another', async () => {
    const { url, rbac: signer } = await started({ rbac });
    const body = { name: 'a', password: 'b' };
    await exchange(url, { method: 'POST', path: '/v4/token', body });
    const token = signer?.sign({ account: 'root', roles: ['admin'] });
    const headers = { Authorization: `Bearer ${token}` };
    const { text } = await exchange(url, { path: '/v4/account-locks', headers });
    expect(JSON.parse(text).data).toMatchObject([{ key: 'a::127.0.0.1' }]);
  });

  it('has faults on a login like on any other request', async () => {
    const { url, faults } = await started({ rbac });
    faults.answer(500, { errorCode: 500003, detail: 'read private key failed' }, { path: /token/ });
    const body = { name: 'root', password: rootPassword };
    const { status } = await exchange(url, { method: 'POST', path: '/v4/token', body });
    expect(status).toBe(500);
  });

  it('goes with TLS', async () => {
    const tls = certificateAuthority().issue(['127.0.0.1']);
    const serviceCenter = await started({ rbac, tls });
    expect(serviceCenter.url).toMatch(/^https:/);
    expect(serviceCenter.rbac).toBeDefined();
  });

  it('has nothing to sign with when it is off', async () => {
    expect((await started()).rbac).toBeUndefined();
  });
});
