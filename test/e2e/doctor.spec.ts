import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import type { EmbeddedServiceCenter, TlsOptions } from 'embedded-service-center';
import { certificateAuthority } from '../support/certificates.js';
import {
  type CommandRun,
  findingsIn,
  freePort,
  lonelyMachine,
  runCommandLine,
} from '../support/command-run.js';
import { concurrently } from '../support/concurrently.js';
import { change, guarded, logins, pem, rootPassword, unguarded } from '../support/guarded-app.js';
import type { Cleanup } from '../support/test-app.js';

const authority = certificateAuthority();
const other = certificateAuthority('Other CA');
const days = 86_400_000;
const unusable = 'No application registers or finds others through this address.';

type Surroundings = Parameters<typeof runCommandLine>[1];

/** Runs doctor for an application at a port of its own, so that tests can run side by side. */
async function doctor(
  address: string,
  { args = [], ...surroundings }: Surroundings & { readonly args?: readonly string[] } = {},
): Promise<CommandRun> {
  const port = await freePort();
  const flags = ['--address', address, '--port', String(port), ...args];
  return runCommandLine(['doctor', ...flags], surroundings);
}

/** Writes a file that the command is told of. */
async function fileWith(cleanup: Cleanup, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  cleanup.add(() => rm(folder, { recursive: true }));
  const path = join(folder, 'file');
  await writeFile(path, text);
  return path;
}

function secure(cleanup: Cleanup, tls: TlsOptions): Promise<EmbeddedServiceCenter> {
  return unguarded(cleanup, { tls });
}

/** A guarded registry with an account that has some verbs on services. */
async function registryWith(
  cleanup: Cleanup,
  verbs: readonly string[],
): Promise<EmbeddedServiceCenter> {
  const registry = await guarded(cleanup, { privateKey: pem });
  const perms = [{ resources: [{ type: 'service' }], verbs }];
  await change(registry, 'POST', '/v4/roles', { name: 'some', perms });
  const account = { name: 'orders', password: rootPassword, roles: ['some'] };
  await change(registry, 'POST', '/v4/accounts', account);
  return registry;
}

const orders = {
  SERVICE_CENTER_USERNAME: 'orders',
  SERVICE_CENTER_PASSWORD: rootPassword,
};

describe('doctor finds', () => {
  concurrently('nothing to change where all is well', async cleanup => {
    const registry = await unguarded(cleanup);
    const { code, output } = await doctor(registry.url);
    expect(output).toMatch(/^Nothing has to change\.$/m);
    expect(output).not.toMatch(/[✗!]/);
    expect(code).toBe(0);
  });

  concurrently('nothing to change with TLS, a login and a role that suffices', async cleanup => {
    const registry = await guarded(cleanup, {
      tls: authority.issue(['127.0.0.1'], 'rsa', Date.now() + 90.5 * days),
    });
    const args = ['--ca-file', await fileWith(cleanup, authority.cert)];
    args.push(
      '--username',
      'root',
      '--password-file',
      await fileWith(cleanup, `${rootPassword}\n`),
    );
    const { code, output } = await doctor(registry.url, { args });
    expect(output).toMatch(/✓ certificate +valid for 90 days, until \d{4}-\d\d-\d\d\n/);
    expect(output).toMatch(/✓ login +accepted\n/);
    expect(output).toMatch(/^Nothing has to change\.$/m);
    expect(code).toBe(0);
  });

  concurrently('a port at which nothing listens', async () => {
    const port = await freePort();
    const run = await doctor(`http://127.0.0.1:${port}`);
    expect(findingsIn(run)).toEqual([
      `1. Nothing listens on 127.0.0.1:${port} (ECONNREFUSED).`,
      unusable,
      '→ Set the right host and port in --address, or start the registry there; its usual port is 30100.',
    ]);
    expect(run.code).toBe(1);
  });

  concurrently('a port at which another server listens', async cleanup => {
    const server = createHttpServer((_, response) => response.end('<h1>Shop</h1>')).listen(0);
    cleanup.add(async () => server.close());
    await once(server, 'listening');
    const where = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const run = await doctor(`http://${where}`);
    expect(findingsIn(run).slice(0, 2)).toEqual([
      `1. ${where} answers, and not as a registry: "<h1>Shop</h1>".`,
      unusable,
    ]);
    expect(run.code).toBe(1);
  });

  concurrently('a name that cannot be resolved', async () => {
    const run = await doctor('http://registry.invalid:30100');
    expect(findingsIn(run)[0]).toMatch(
      /^1\. The name registry\.invalid cannot be resolved \(\w+\)\.$/,
    );
    expect(run.code).toBe(1);
  });

  concurrently('TLS to a port of plain HTTP', async cleanup => {
    const { url } = await unguarded(cleanup);
    const where = new URL(url).host;
    const run = await doctor(`https://${where}`);
    expect(findingsIn(run)).toEqual([
      `1. ${where} answers plain HTTP, and the address begins with https://.`,
      unusable,
      `→ Write ${url} in --address, or the port at which the registry speaks TLS.`,
    ]);
    expect(run.code).toBe(1);
  });

  concurrently('plain HTTP to a port of TLS', async cleanup => {
    const { url } = await secure(cleanup, authority.issue(['127.0.0.1']));
    const where = new URL(url).host;
    const run = await doctor(`http://${where}`);
    expect(findingsIn(run)).toEqual([
      `1. ${where} speaks TLS, and the address begins with http://.`,
      unusable,
      `→ Write ${url} in --address.`,
    ]);
    expect(run.code).toBe(1);
  });

  concurrently('an authority that is not trusted', async cleanup => {
    const { url } = await secure(cleanup, other.issue(['127.0.0.1']));
    const run = await doctor(url);
    expect(findingsIn(run)).toEqual([
      `1. The certificate of ${new URL(url).host} is from "Other CA", which is not trusted here (UNABLE_TO_VERIFY_LEAF_SIGNATURE).`,
      'Every request fails before it is sent.',
      '→ Name the certificate of its authority: --ca-file here, serviceCenter.tls.caFile in the application.',
    ]);
    expect(run.code).toBe(1);
  });

  concurrently('a certificate that is its own authority', async cleanup => {
    const { url } = await secure(cleanup, other);
    const run = await doctor(url);
    expect(findingsIn(run).slice(0, 3)).toEqual([
      `1. The certificate of ${new URL(url).host} is signed by itself, and not trusted here (DEPTH_ZERO_SELF_SIGNED_CERT).`,
      'Every request fails before it is sent.',
      '→ Name this certificate: --ca-file here, serviceCenter.tls.caFile in the application.',
    ]);
  });

  concurrently('a file of authorities without the right one', async cleanup => {
    const { url } = await secure(cleanup, other.issue(['127.0.0.1']));
    const args = ['--ca-file', await fileWith(cleanup, authority.cert)];
    const run = await doctor(url, { args });
    expect(findingsIn(run)[2]).toMatch(
      /^→ Put the certificate of its authority into the file of --ca-file/,
    );
  });

  concurrently('a certificate that has expired', async cleanup => {
    const endedAt = Date.now() - days;
    const { url } = await secure(cleanup, authority.issue(['127.0.0.1'], 'rsa', endedAt));
    const args = ['--ca-file', await fileWith(cleanup, authority.cert)];
    const run = await doctor(url, { args });
    const day = new Date(endedAt).toISOString().slice(0, 10);
    expect(findingsIn(run).slice(0, 2)).toEqual([
      `1. The certificate of ${new URL(url).host} expired on ${day}.`,
      'Every request fails before it is sent.',
    ]);
    expect(run.code).toBe(1);
  });

  concurrently('a certificate that will expire soon, which is a warning', async cleanup => {
    const { url } = await secure(cleanup, authority.issue(['127.0.0.1']));
    const args = ['--ca-file', await fileWith(cleanup, authority.cert)];
    const run = await doctor(url, { args });
    expect(run.output).toMatch(/^Nothing has to change, 1 warning\.$/m);
    expect(findingsIn(run)[2]).toBe('→ Renew it at the registry.');
    expect(run.code).toBe(0);
  });

  concurrently('a certificate for another host', async cleanup => {
    const { url } = await secure(cleanup, authority.issue(['registry.example']));
    const args = ['--ca-file', await fileWith(cleanup, authority.cert)];
    const run = await doctor(url, { args });
    expect(findingsIn(run)[2]).toMatch(
      /^→ Its certificate is for another host name: use a name of the certificate/,
    );
    expect(run.code).toBe(1);
  });

  concurrently('a wrong password, with one login for all addresses', async cleanup => {
    const registry = await guarded(cleanup);
    const second = registry.url.replace('127.0.0.1', 'localhost');
    const env = { SERVICE_CENTER_USERNAME: 'root', SERVICE_CENTER_PASSWORD: 'Wrong_password1' };
    const run = await doctor(registry.url, { env, args: ['--address', second] });
    expect(findingsIn(run)).toEqual([
      '1. The registry refuses the password of "root" (errorCode 401202).',
      'The application cannot register, and finds no other service; the third refusal within 15 minutes bans the account for this machine, and this run was one.',
      '→ Correct user and password (SERVICE_CENTER_PASSWORD) before you run this again.',
    ]);
    expect(logins(registry)).toBe(1);
    expect(run.output).not.toContain('Wrong_password1');
    expect(run.code).toBe(1);
  });

  concurrently('that credentials are missing', async cleanup => {
    const run = await doctor((await guarded(cleanup)).url);
    expect(findingsIn(run)[0]).toBe('1. The registry demands credentials (errorCode 401204).');
    expect(run.code).toBe(1);
  });

  concurrently('a token that the registry refuses', async cleanup => {
    const { url } = await guarded(cleanup);
    const run = await doctor(url, { env: { SERVICE_CENTER_TOKEN: 'eyJ.old.token' } });
    expect(findingsIn(run)[0]).toMatch(
      /^1\. The registry refuses the credentials \(errorCode 4012\d\d\)\.$/,
    );
    expect(findingsIn(run)[2]).toBe('→ Correct or renew what SERVICE_CENTER_TOKEN holds.');
    expect(run.output).not.toContain('eyJ.old.token');
  });

  concurrently('a token file that is not there', async cleanup => {
    const { url } = await guarded(cleanup);
    const run = await doctor(url, { args: ['--token-file', '/nowhere'] });
    expect(findingsIn(run)).toEqual([
      '1. There are no credentials: the file "/nowhere" cannot be read: ENOENT.',
      'The application cannot register, and finds no other service.',
      '→ Correct --token-file.',
    ]);
  });

  concurrently('nothing to change with the token of a file', async cleanup => {
    const registry = await guarded(cleanup);
    const token = registry.rbac?.sign({ account: 'root', roles: ['admin'] });
    const args = ['--token-file', await fileWith(cleanup, `${token}\n`)];
    const { code, output } = await doctor(registry.url, { args });
    expect(output).toMatch(/✓ register/);
    expect(code).toBe(0);
  });

  concurrently('a password file that is not there, without a login', async cleanup => {
    const registry = await guarded(cleanup);
    const run = await doctor(registry.url, {
      args: ['--username', 'root', '--password-file', '/nowhere'],
    });
    expect(findingsIn(run)[0]).toBe(
      '1. There is no password: the file "/nowhere" cannot be read: ENOENT.',
    );
    expect(logins(registry)).toBe(0);
  });

  concurrently('that the permission to register is missing', async cleanup => {
    const registry = await registryWith(cleanup, ['get']);
    const run = await doctor(registry.url, { env: orders });
    expect(findingsIn(run)[0]).toBe(
      '1. The account "orders" may not register services (errorCode 403205: role has no permissions[service:create]).',
    );
    expect(findingsIn(run)[2]).toMatch(
      /^→ Give it a role with the verbs get, create, update and delete/,
    );
    expect(run.code).toBe(1);
  });

  concurrently(
    'that the permission to remove is missing, and how to remove the probe',
    async cleanup => {
      const registry = await registryWith(cleanup, ['get', 'create', 'update']);
      const run = await doctor(registry.url, { env: orders, args: ['--probe', 'orders-probe'] });
      const serviceId = registry.dump().services[0]?.service.serviceId;
      expect(findingsIn(run)[0]).toMatch(
        /^1\. The probe orders-probe could not be removed: .*403205/,
      );
      expect(findingsIn(run)[2]).toContain(
        `DELETE ${registry.url}/v4/default/registry/microservices/${serviceId}?force=true.`,
      );
      expect(run.code).toBe(1);
    },
  );

  concurrently('a clock that is an hour off', async cleanup => {
    const registry = await unguarded(cleanup);
    registry.faults.skewClock(-3_600_000);
    const run = await doctor(registry.url);
    expect(findingsIn(run).slice(0, 2)).toEqual([
      `1. The clock of ${new URL(registry.url).host} is 60 min behind the clock of this machine.`,
      'Certificates and tokens are judged by a wrong time, and times in logs do not match.',
    ]);
    expect(run.code).toBe(1);
  });

  concurrently('that a loopback address would be published', async cleanup => {
    const { url } = await unguarded(cleanup, { host: '0.0.0.0' });
    // An address of the registry that is no loopback address, on any machine.
    const elsewhere = url.replace('127.0.0.1', '0.0.0.0');
    const run = await doctor(elsewhere, { args: ['--host', '127.0.0.1'] });
    expect(findingsIn(run)[0]).toMatch(
      /^1\. rest:\/\/127\.0\.0\.1:\d+ is published, an address that each machine takes for itself\.$/,
    );
    expect(findingsIn(run)[2]).toMatch(/^→ Let the application listen on all interfaces/);
    expect(run.code).toBe(1);
  });

  concurrently('that this machine has no other address to publish', async cleanup => {
    const { url } = await unguarded(cleanup, { host: '0.0.0.0' });
    const run = await doctor(url.replace('127.0.0.1', '0.0.0.0'), { machine: lonelyMachine });
    expect(findingsIn(run)[2]).toMatch(/^→ Give this machine or container a network/);
  });

  concurrently(
    'that the published address is not reached from here, which is a warning',
    async cleanup => {
      const { url } = await unguarded(cleanup);
      const args = ['--instance-address', 'orders.invalid'];
      const run = await doctor(url, { args });
      expect(findingsIn(run)[0]).toMatch(
        /^1\. orders\.invalid:\d+ cannot be reached from this machine \(E\w+\)\.$/,
      );
      expect(run.code).toBe(0);
    },
  );
});

describe('doctor', () => {
  concurrently(
    'leaves nothing in the registry, and publishes no endpoint meanwhile',
    async cleanup => {
      const registry = await unguarded(cleanup);
      const registered: unknown[] = [];
      registry.onRequest(({ operation, body }) => {
        if (operation === 'registerInstance') registered.push(JSON.parse(body));
      });
      await doctor(registry.url);
      expect(registry.dump().services).toEqual([]);
      expect(registered).toHaveLength(1);
      expect(JSON.stringify(registered)).toContain('DOWN');
      expect(JSON.stringify(registered)).not.toContain('endpoints');
    },
  );

  concurrently('removes the probe although its registration got no answer', async cleanup => {
    const registry = await unguarded(cleanup);
    registry.faults.reset({ operation: 'registerMicroservice', when: 'after' });
    const { code } = await doctor(registry.url);
    expect(registry.dump().services).toEqual([]);
    expect(code).toBe(1);
  });

  concurrently('leaves a service alone that has the name of the probe', async cleanup => {
    const registry = await unguarded(cleanup);
    registry.load({
      format: 1,
      services: [{ service: { serviceId: 'mine', serviceName: 'basket', version: '0.0.1' } }],
    });
    const run = await doctor(registry.url, { args: ['--probe', 'basket'] });
    expect(registry.dump().services).toMatchObject([{ service: { serviceId: 'mine' } }]);
    expect(findingsIn(run)[0]).toBe(
      '1. The registry has a service "basket" already, which was left as it is.',
    );
    expect(run.code).toBe(1);
  });

  concurrently('uses a port at which the application listens already', async cleanup => {
    const { url } = await unguarded(cleanup);
    const server = createServer(socket => socket.end()).listen(0);
    cleanup.add(async () => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, output } = await doctor(url, { args: ['--port', String(port)] });
    expect(output).toMatch(/✓ reachable +from this machine, by whatever listens on it already/);
    expect(code).toBe(0);
  });

  concurrently('says that what listens on the port listens on another address', async cleanup => {
    const { url } = await unguarded(cleanup);
    const server = createServer(socket => socket.end()).listen(0, '127.0.0.1');
    cleanup.add(async () => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const own = { name: 'eth0', address: '127.0.0.2', family: 'IPv4', internal: false } as const;
    const run = await doctor(url, {
      args: ['--port', String(port)],
      machine: { addresses: [own] },
    });
    expect(findingsIn(run)).toEqual([
      `1. 127.0.0.2:${port} cannot be reached from this machine (ECONNREFUSED).`,
      'Consumers get no answer from this application.',
      "→ Something listens on this port, and not on this address: let it listen on all interfaces, app.listen(port, '0.0.0.0').",
    ]);
  });

  concurrently('goes on with another address, and judges each', async cleanup => {
    const { url } = await unguarded(cleanup);
    const port = await freePort();
    const { code, output } = await doctor(`http://127.0.0.1:${port}`, { args: ['--address', url] });
    expect(output).toMatch(/✗ connection .*ECONNREFUSED/);
    expect(output).toMatch(/✓ register/);
    expect(code).toBe(1);
  });

  concurrently('prints all of it as JSON for programs', async cleanup => {
    const { url } = await unguarded(cleanup);
    const { output } = await doctor(url, { args: ['--json'] });
    const { ok, checks } = JSON.parse(output) as { ok: boolean; checks: readonly object[] };
    expect(ok).toBe(true);
    expect(checks).toContainEqual({
      subject: `Registry ${url} (--address)`,
      name: 'clock',
      status: 'ok',
      text: 'less than 1 s off',
    });
  });

  concurrently('shows what it waits for', async cleanup => {
    const { url } = await unguarded(cleanup);
    expect((await doctor(url)).progress).toEqual([
      `Checking ${url}`,
      `Logging in at ${url}`,
      `Registering a probe at ${url}`,
      'Checking the published endpoint',
    ]);
  });

  concurrently('removes the probe when it is stopped', async cleanup => {
    const registry = await unguarded(cleanup);
    const stop = new AbortController();
    registry.onRequest(({ operation }) => {
      if (operation === 'registerInstance') stop.abort();
    });
    const { code, output, errors } = await doctor(registry.url, { stopped: stop.signal });
    expect(registry.dump().services).toEqual([]);
    expect({ code, output, errors }).toEqual({
      code: 130,
      output: '',
      errors: 'Stopped: the probe was removed',
    });
  });
});
