import { createPrivateKey } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readHostFacts } from '../../../lib/options/host-facts.js';
import type { TlsMaterial } from '../../../lib/options/resolved-options.js';
import { Background } from '../../../lib/background/background.js';
import { TlsFiles } from '../../../lib/transport/tls-files.js';
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
  const reading = new Background();
  let looked = Promise.resolve();
  const background = {
    start: (work: (signal: AbortSignal) => Promise<void>) =>
      reading.start(signal => (looked = work(signal))),
    throwPending: () => reading.throwPending(),
    stop: () => reading.stop(),
  };
  if (tls.files === undefined) throw new Error('No option names a file');
  const used = tls.material?.() ?? {};
  const work = new TlsFiles(tls.files, { used, clock, everyMs: 5_000, renew, logger, background });
  const look = async () => {
    await clock.advance(5_000);
    expect(work.tick()).toBe(clock.now() + 5_000);
    await looked;
  };
  return { work, look, renewed, lines };
}

describe('files of certificates', () => {
  it('that stay the same change nothing', async () => {
    const { look, renewed, lines } = await watched();
    await look();
    await look();
    expect([renewed, lines]).toEqual([[], []]);
  });

  it('are taken when all of them fit, and logged', async () => {
    const { look, renewed, lines } = await watched();
    await write('cert', other.cert);
    await write('key', other.key);
    await look();
    await look();
    expect(renewed).toEqual([{ cert: other.cert.trim(), key: other.key.trim() }]);
    expect(lines).toEqual([
      expect.stringMatching(/^The files of serviceCenter.tls have changed: new connections/),
    ]);
  });

  it('that do not fit together yet are one warning, and taken once they do', async () => {
    const { look, renewed, lines } = await watched();
    await write('cert', other.cert);
    await look();
    await look();
    expect(renewed).toEqual([]);
    expect(lines).toEqual([
      'The changed files of serviceCenter.tls cannot be used, so the certificates stay: ' +
        'serviceCenter.tls.keyFile is not the private key of the certificate',
    ]);
    await write('key', other.key);
    await look();
    expect(renewed).toHaveLength(1);
  });

  it('that change and still have the same problem are one warning', async () => {
    const { look, lines } = await watched();
    for (const { cert } of [other, authority.issue(['third'], 'ec')]) {
      await write('cert', cert);
      await look();
    }
    expect(lines).toHaveLength(1);
  });

  it('that are broken again after they were good are another warning', async () => {
    const { look, lines } = await watched();
    for (const { cert } of [other, one, other]) {
      await write('cert', cert);
      await look();
    }
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe(lines[0]);
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
      'The files of serviceCenter.tls are as they were before',
    ]);
  });
});
