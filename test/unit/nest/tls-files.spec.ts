import { createPrivateKey } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectionWarnings } from '../../../lib/nest/connection-warnings.js';
import { TlsFiles } from '../../../lib/nest/tls-files.js';
import { readHostFacts, type TlsDefaults } from '../../../lib/options/host-facts.js';
import type { TlsMaterial } from '../../../lib/options/tls-material.js';
import { certificateAuthority } from '../../support/certificates.js';
import { FakeClock } from '../../support/fake-clock.js';
import { resolve } from '../options/resolving.js';

const authority = certificateAuthority();
const one = authority.issue(['one']);
const other = authority.issue(['other'], 'ec');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servicecomb-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

const pathOf = (name: string) => join(folder, name);
const write = (name: string, text: string) => writeFile(pathOf(name), text);

/** Files that are watched, and what came of each look at them. */
async function watched({ files = ['cert', 'key'], under = '.', key = one.key } = {}) {
  await write('cert', one.cert);
  await write('key', key);
  const written = Object.fromEntries(files.map(name => [`${name}File`, join(folder, under, name)]));
  const { readFile } = readHostFacts();
  const { tls } = resolve({ serviceCenter: { tls: written } }, { readFile }).serviceCenter;
  const clock = new FakeClock();
  const renewed: TlsMaterial[] = [];
  const lines: string[] = [];
  const keep = (line: string) => lines.push(line);
  const logger = { log: keep, warn: keep };
  const renew = (material: TlsMaterial) => renewed.push(material);
  const work = new TlsFiles(tls, { clock, everyMs: 5_000, renew, logger });
  const look = async () => {
    await clock.advance(5_000);
    expect(work.tick()).toBe(Infinity);
    let due = Infinity;
    while (due === Infinity) {
      await new Promise<void>(resolve => {
        queueMicrotask(resolve);
      });
      await readFileTurn();
      due = work.tick();
    }
    expect(due).toBe(clock.now() + 5_000);
  };
  return { work, look, renewed, lines };
}

/** Lets the file system answer. */
function readFileTurn(): Promise<unknown> {
  return rm(pathOf('nosuch'), { force: true });
}

describe('files of certificates', () => {
  it('that stay the same change nothing', async () => {
    const { look, renewed, lines } = await watched();
    await look();
    await look();
    expect([renewed, lines]).toEqual([[], []]);
  });

  it('are taken when all of them fit, and told', async () => {
    const { look, renewed, lines } = await watched();
    await write('cert', other.cert);
    await write('key', other.key);
    await look();
    await look();
    expect(renewed).toEqual([{ cert: other.cert.trim(), key: other.key.trim() }]);
    expect(lines).toEqual([expect.stringMatching(/^Certificates have changed: new connections/)]);
  });

  it('that do not fit together yet are one warning, and taken once they do', async () => {
    const { look, renewed, lines } = await watched();
    await write('cert', other.cert);
    await look();
    await look();
    expect(renewed).toEqual([]);
    expect(lines).toEqual([
      'Certificates have changed and cannot be used, so the old stay: ' +
        'serviceCenter.tls.keyFile is not the private key of the certificate',
    ]);
    await write('key', other.key);
    await look();
    expect(renewed).toHaveLength(1);
  });

  it('are taken when they were renamed into their place', async () => {
    const { look, renewed } = await watched();
    for (const name of ['cert', 'key'] as const) {
      await write(`${name}.next`, other[name]);
      await rename(pathOf(`${name}.next`), pathOf(name));
    }
    await look();
    expect(renewed).toHaveLength(1);
  });

  it('are taken when a link to their folder changes, as in Kubernetes', async () => {
    const fill = async (name: string, pair: typeof one) => {
      await mkdir(pathOf(name));
      await write(`${name}/cert`, pair.cert);
      await write(`${name}/key`, pair.key);
    };
    await fill('..2026_01', one);
    await fill('..2026_02', other);
    await mkdir(pathOf('mount'));
    await symlink('../..2026_01', pathOf('mount/..data'));
    for (const name of ['cert', 'key']) await symlink(`..data/${name}`, pathOf(`mount/${name}`));
    const { look, renewed, lines } = await watched({ under: 'mount' });
    await look();
    await symlink('../..2026_02', pathOf('mount/..data_tmp'));
    await rename(pathOf('mount/..data_tmp'), pathOf('mount/..data'));
    await look();
    expect(renewed).toEqual([{ cert: other.cert.trim(), key: other.key.trim() }]);
    expect(lines).toHaveLength(1);
  });

  it('are taken when an encrypted key and its passphrase change', async () => {
    const encrypted = (passphrase: string) =>
      createPrivateKey(one.key)
        .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
        .toString();
    await write('passphrase', 'old-s3cret\n');
    const { look, renewed, lines } = await watched({
      files: ['cert', 'key', 'passphrase'],
      key: encrypted('old-s3cret'),
    });
    await write('key', encrypted('new-s3cret'));
    await look();
    expect(renewed).toEqual([]);
    await write('passphrase', 'new-s3cret\n');
    await look();
    expect(renewed).toEqual([expect.objectContaining({ passphrase: 'new-s3cret' })]);
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain('s3cret');
  });

  it('that are gone are one warning, and one line when they are back', async () => {
    const { look, renewed, lines } = await watched();
    await rm(pathOf('key'));
    await look();
    await write('key', one.key);
    await look();
    expect(renewed).toEqual([]);
    expect(lines).toEqual([
      expect.stringContaining('serviceCenter.tls.keyFile cannot be read: ENOENT'),
      'Certificates are as they were before',
    ]);
  });
});

describe('a warning at the start', () => {
  const node = { verifies: true, minVersion: 'TLSv1.2' } as const;
  const warnings = (serviceCenter: object, defaults: Partial<TlsDefaults> = {}) =>
    connectionWarnings(resolve({ serviceCenter }).serviceCenter, { ...node, ...defaults });
  const withAgent = (options: object) => ({ axios: { httpsAgent: { options } } });

  it.each([
    [
      { addresses: ['http://a:1', 'https://b', 'http://[::1]:1'], auth: { token: 't' } },
      {},
      /^Credentials go to http:\/\/a:1 unencrypted: use https$/,
    ],
    [{ tls: { rejectUnauthorized: false } }, {}, /^INSECURE: .*tls\.rejectUnauthorized is false/],
    [
      withAgent({ rejectUnauthorized: false }),
      {},
      /^INSECURE: .*axios\.httpsAgent does not verify/,
    ],
    [withAgent({}), { verifies: false }, /^INSECURE: NODE_TLS_REJECT_UNAUTHORIZED is 0/],
    [withAgent({ minVersion: 'TLSv1.1' }), {}, /^INSECURE: .*axios\.httpsAgent .* below 1\.2/],
    [withAgent({}), { minVersion: 'TLSv1' }, /^INSECURE: .*axios\.httpsAgent .* below 1\.2/],
    [withAgent({ secureProtocol: 'TLSv1_1_method' }), {}, /^INSECURE: .* below 1\.2/],
    [
      { addresses: ['https://a'], tls: { ca: authority.cert }, ...withAgent({}) },
      {},
      /httpsAgent takes its place/,
    ],
    [
      { addresses: ['https://a'], proxy: 'http://p:1', ...withAgent({}) },
      {},
      /^No proxy is used for https addresses: .*httpsAgent/,
    ],
    [{ addresses: ['http://a'], tls: { ca: authority.cert } }, {}, /no address .* https:/],
  ] as const)('is for %#', (serviceCenter, defaults, warning) => {
    expect(warnings(serviceCenter, defaults)).toEqual([expect.stringMatching(warning)]);
  });

  it.each([
    [{}, { verifies: false, minVersion: 'TLSv1' }],
    [{ addresses: ['https://a'], tls: { ca: authority.cert } }, { verifies: false }],
    [withAgent({ rejectUnauthorized: true }), { verifies: false }],
    [withAgent({ minVersion: 'TLSv1.2' }), { minVersion: 'TLSv1' }],
    [withAgent({ secureProtocol: 'TLSv1_2_method' }), {}],
  ] as const)('is none otherwise %#', (serviceCenter, defaults) => {
    expect(warnings(serviceCenter, defaults)).toEqual([]);
  });
});
