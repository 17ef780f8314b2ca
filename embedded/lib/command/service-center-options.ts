import { readFile } from 'node:fs/promises';
import type { EmbeddedServiceCenterOptions } from '../embedded-service-center-options.js';
import { isStrong, passwordRule } from '../rbac/password.js';
import type { TlsOptions } from '../server/tls.js';
import type { ServeSettings, TlsFiles } from './command-line.js';
import { messageOf } from './failure.js';

/** The variable that a real server takes the password of its account root from. */
const passwordVariable = 'SC_INIT_ROOT_PASSWORD';

/**
 * The options of the Service Center that a command line asks for.
 *
 * @throws Error that names the variable or the file that is missing or wrong; it shows neither
 */
export async function serviceCenterOptions(
  { host, port, profile, oddities, rbac, tls }: ServeSettings,
  env: Readonly<Record<string, string | undefined>>,
): Promise<EmbeddedServiceCenterOptions> {
  return {
    host,
    port,
    profile,
    oddities,
    rbac: rbac ? { rootPassword: passwordIn(env) } : undefined,
    tls: tls && (await tlsOptions(tls)),
  };
}

function passwordIn(env: Readonly<Record<string, string | undefined>>): string {
  const { [passwordVariable]: password = '' } = env;
  if (password === '')
    throw new Error(
      `--rbac takes the password of the account root from ${passwordVariable}, which is not set`,
    );
  if (!isStrong(password)) throw new Error(`${passwordVariable} must be ${passwordRule}`);
  return password;
}

async function tlsOptions({ cert, key, ca }: TlsFiles): Promise<TlsOptions> {
  return {
    cert: await pem(cert),
    key: await pem(key),
    ca: ca === undefined ? undefined : await pem(ca),
  };
}

async function pem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
