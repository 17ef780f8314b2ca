import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectionWarnings } from '../../../lib/nest/connection-warnings.js';
import { TlsFiles } from '../../../lib/nest/tls-files.js';
import { readHostFacts } from '../../../lib/options/host-facts.js';
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
async function watched() {
  await write('cert', one.cert);
  await write('key', one.key);
  const written = { certFile: pathOf('cert'), keyFile: pathOf('key') };
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
    expect(renewed).toEqual([{ cert: other.cert.trimEnd(), key: other.key.trimEnd() }]);
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
  const warnings = (serviceCenter: object) =>
    connectionWarnings(resolve({ serviceCenter }).serviceCenter);

  it.each([
    [{ tls: { rejectUnauthorized: false } }, /^INSECURE: .*tls\.rejectUnauthorized is false/],
    [
      { axios: { httpsAgent: { options: { rejectUnauthorized: false } } } },
      /^INSECURE: .*axios\.httpsAgent/,
    ],
    [
      { addresses: ['https://a'], tls: { ca: authority.cert }, axios: { httpsAgent: {} } },
      /httpsAgent takes its place/,
    ],
    [{ addresses: ['http://a'], tls: { ca: authority.cert } }, /no address .* https:/],
  ])('is for %#', (serviceCenter, warning) => {
    expect(warnings(serviceCenter)).toEqual([expect.stringMatching(warning)]);
  });

  it('is none otherwise', () => {
    expect(warnings({})).toEqual([]);
    expect(warnings({ addresses: ['https://a'], tls: { ca: authority.cert } })).toEqual([]);
  });
});
