import { parseArgs } from 'node:util';
import { isProfile, profiles } from '../profiles/profile.js';
import type { Profile } from '../profiles/profile.js';
import { codeOf, messageOf } from '../errors.js';

/** Settings of the command, read from its flags. */
export interface ServeSettings {
  readonly port: number;
  readonly host: string;
  readonly profile: Profile;
  readonly rbac: boolean;
  /** Absent for plain HTTP. */
  readonly tls: TlsFiles | undefined;
  /** Absent if no oddity is on. */
  readonly oddities: 'realistic' | undefined;
  readonly seed: string | undefined;
  readonly data: string | undefined;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

/** The meaning of a command line, or what is wrong with it. */
export type CommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'wrong'; readonly issues: readonly string[] }
  | { readonly kind: 'serve'; readonly settings: ServeSettings };

const options = {
  port: { type: 'string' },
  host: { type: 'string' },
  profile: { type: 'string' },
  rbac: { type: 'boolean' },
  tls: { type: 'boolean' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-ca': { type: 'string' },
  oddities: { type: 'string' },
  seed: { type: 'string' },
  data: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** Reads a command line, without the program's own name. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const flags = flagsOf(args);
  if (typeof flags === 'string') return { kind: 'wrong', issues: [flags] };
  if (flags.help === true) return { kind: 'help' };
  if (flags.version === true) return { kind: 'version' };
  return settingsOf(flags);
}

type Flags = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

/** Returns the flags, or the error of the first one that is not valid. */
function flagsOf(args: readonly string[]): Flags | string {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    if (!codeOf(error)?.startsWith('ERR_PARSE_ARGS')) throw error;
    // The rest of Node's message is about positional arguments, which the command does not have.
    return messageOf(error).replace(/\.\s.*/s, '');
  }
}

function settingsOf(flags: Flags): CommandLine {
  const { port = '30100', host = '127.0.0.1', profile = 'open-source', seed, data } = flags;
  const { cert, key, ca } = tlsFilesOf(flags);
  const issues: string[] = [];
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    issues.push(`--port must be a whole number from 0 to 65535, got "${port}"`);
  if (!isProfile(profile))
    issues.push(`--profile must be one of ${profiles.join(', ')}, got "${profile}"`);
  if (flags.oddities !== undefined && flags.oddities !== 'realistic')
    issues.push(`--oddities must be realistic, got "${flags.oddities}"`);
  const texts = { host, seed, data, 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca };
  for (const [name, value] of Object.entries(texts))
    if (value?.trim() === '') issues.push(`--${name} must not be empty`);
  issues.push(...tlsIssuesOf(flags));
  if (issues.length > 0 || !isProfile(profile)) return { kind: 'wrong', issues };
  const tls = cert === undefined || key === undefined ? undefined : { cert, key, ca };
  const { rbac = false } = flags;
  const oddities = flags.oddities === undefined ? undefined : 'realistic';
  const settings = { port: Number(port), host, profile, rbac, tls, oddities, seed, data } as const;
  return { kind: 'serve', settings };
}

function tlsFilesOf(flags: Flags): Readonly<Record<keyof TlsFiles, string | undefined>> {
  return { cert: flags['tls-cert'], key: flags['tls-key'], ca: flags['tls-ca'] };
}

function tlsIssuesOf(flags: Flags): string[] {
  const files = Object.entries(tlsFilesOf(flags));
  if (flags.tls === true)
    return files.flatMap(([name, file]) =>
      file === undefined && name !== 'ca' ? [`--tls needs --tls-${name}`] : [],
    );
  return files.flatMap(([name, file]) => (file === undefined ? [] : [`--tls-${name} needs --tls`]));
}

/** Text that `--help` prints. */
export const usage = `Usage: embedded-service-center [options]

Starts an embedded Service Center. It speaks the protocol of Apache ServiceComb Service Center and
is for development and tests, not for production. Ctrl-C or SIGTERM stops it.

  --port <number>   port to listen on, 0 for any free one (default: 30100)
  --host <address>  address to listen on (default: 127.0.0.1, this machine only)
  --profile <name>  Service Center to behave like: open-source (default), cse-exclusive,
                    cse-professional or cse-legacy
  --rbac            requires tokens; the password of root is read from the environment variable
                    SC_INIT_ROOT_PASSWORD
  --tls             serves HTTPS, with the PEM files --tls-cert <file> and --tls-key <file>;
                    with --tls-ca <file> clients must show a certificate that it has issued
  --oddities realistic
                    delays, loses and forgets changes as a real server does
  --seed <file>     services and instances to start with, as JSON
  --data <file>     saves services and instances to this file and loads them at the next start;
                    once it exists, --seed is ignored
  -h, --help        prints this help
  -v, --version     prints the version

Exit codes: 0 after it was stopped, 1 if it cannot start or save its data, 2 if the command line is
not valid.`;
