import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { packagePath } from '../support/package-path.js';

const run = promisify(execFile);

/** The packed browser of the devDependency, and the folder it is unpacked to. */
const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
const packed = join(dirname(entry), '../../bin');
const unpacked = packagePath('build/chromium');

/** Paths of installed browsers, for machines on which the packed one does not run. */
const installed = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** No requests to other hosts, and no sandbox, which neither root nor most containers have. */
const options = [
  '--no-sandbox',
  '--no-zygote',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/**
 * Starts a headless browser: the one in `CHROMIUM_PATH`, otherwise the packed one (Linux on x64,
 * needs no root and no download), otherwise an installed one.
 *
 * @throws Error if there is none
 */
export async function launchChromium(): Promise<Browser> {
  const named = process.env['CHROMIUM_PATH'];
  if (named !== undefined) return chromium.launch({ executablePath: named, args: options });
  if (process.platform === 'linux' && process.arch === 'x64') return launchPacked();
  const executablePath = installed.find(path => existsSync(path));
  if (executablePath !== undefined) return chromium.launch({ executablePath, args: options });
  throw new Error(
    'The browser tests need a Chromium: set CHROMIUM_PATH to one, or install it as one of ' +
      `${installed.join(', ')}.`,
  );
}

async function launchPacked(): Promise<Browser> {
  await mkdir(unpacked, { recursive: true });
  const executablePath = join(unpacked, 'chromium');
  await unpack('chromium.br', executablePath);
  const environment: Record<string, string> = {};
  const { stdout } = await run('ldd', [executablePath]);
  if (stdout.includes('not found'))
    environment['LD_LIBRARY_PATH'] = join(await unpackFolder('al2023.tar.br'), 'lib');
  if (!existsSync('/etc/fonts/fonts.conf'))
    environment['FONTCONFIG_PATH'] = join(await unpackFolder('fonts.tar.br'), 'fonts');
  const env = { ...process.env, ...environment } as Record<string, string>;
  return chromium.launch({ executablePath, args: options, env });
}

/** Unpacks a file once; an incomplete file is unpacked again. */
async function unpack(name: string, to: string): Promise<void> {
  if (existsSync(to)) return;
  const half = `${to}.${process.pid}`;
  await pipeline(
    createReadStream(join(packed, name)),
    createBrotliDecompress(),
    createWriteStream(half, { mode: 0o755 }),
  );
  await rename(half, to);
}

async function unpackFolder(name: string): Promise<string> {
  const archive = join(unpacked, name.replace(/\.br$/, ''));
  await unpack(name, archive);
  const folder = `${archive}.d`;
  await mkdir(folder, { recursive: true });
  await run('tar', ['-xf', archive, '-C', folder]);
  return folder;
}
