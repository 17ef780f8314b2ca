import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { codeOf, CredentialsError, propertyOf } from '../errors.js';
import type { AuthOptions, RegistryModuleOptions } from '../options/options.js';
import { profileNames } from '../options/profiles.js';
import type { Environment } from './terminal.js';

/** Settings that both commands have. */
interface CommonSettings {
  /** Those of the module, as far as flags and variables set them. */
  readonly options: RegistryModuleOptions;
  /** The variable or the flag that the secret comes from; undefined without credentials. */
  readonly secretFrom: string | undefined;
  readonly json: boolean;
}

/** Settings of `doctor`. */
export interface DoctorSettings extends CommonSettings {
  /** Address that the application listens on; undefined for all interfaces. */
  readonly host: string | undefined;
  readonly port: number;
  /** The flag or variable that the port comes from; undefined for the default. */
  readonly portFrom: string | undefined;
  /** Name of the service that is registered and removed. */
  readonly probe: string | undefined;
}

/** Settings of `ls`. */
export interface ListSettings extends CommonSettings {
  /** Name of a service, or `application/name`; undefined for all. */
  readonly service: string | undefined;
  readonly watch: boolean;
}

/** The meaning of a command line, or what is wrong with it. */
export type CommandLine =
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'wrong'; readonly issues: readonly string[] }
  | { readonly kind: 'doctor'; readonly settings: DoctorSettings }
  | { readonly kind: 'ls'; readonly settings: ListSettings };

const text = { type: 'string' } as const;
const yes = { type: 'boolean' } as const;

const commonFlags = {
  address: { type: 'string', multiple: true },
  project: text,
  domain: text,
  profile: text,
  username: text,
  'password-file': text,
  'token-file': text,
  'ca-file': text,
  'cert-file': text,
  'key-file': text,
  'passphrase-file': text,
  servername: text,
  timeout: text,
  json: yes,
} as const;

const doctorFlags = {
  ...commonFlags,
  port: text,
  host: text,
  'instance-address': text,
  'preferred-network': text,
  probe: text,
} as const;

const listFlags = { ...commonFlags, watch: yes } as const;

/** The flag of each option of the module that a flag sets. */
const flagOf: Readonly<Record<string, string>> = {
  'serviceCenter.addresses': '--address',
  'serviceCenter.project': '--project',
  'serviceCenter.domain': '--domain',
  'serviceCenter.timeoutMs': '--timeout',
  'serviceCenter.auth.username': '--username',
  'serviceCenter.auth.passwordFile': '--password-file',
  'serviceCenter.tls.caFile': '--ca-file',
  'serviceCenter.tls.certFile': '--cert-file',
  'serviceCenter.tls.keyFile': '--key-file',
  'serviceCenter.tls.passphraseFile': '--passphrase-file',
  'serviceCenter.tls.servername': '--servername',
  'instance.address': '--instance-address',
  'instance.preferredNetwork': '--preferred-network',
};

/** Returns the flag of an option, or the option itself where it has none. */
export function flagFor(option: string): string {
  return flagOf[option.replace(/\[\d+\]$/, '')] ?? option;
}

const secretVariables = {
  password: 'SERVICE_CENTER_PASSWORD',
  token: 'SERVICE_CENTER_TOKEN',
  'secret-key': 'SERVICE_CENTER_SECRET_KEY',
  passphrase: undefined,
} as const;

/** Reads a command line, without the program's own name, and the variables of the credentials. */
export function readCommandLine(args: readonly string[], env: Environment): CommandLine {
  const [command, ...rest] = args;
  const secrets = secretsIn(args);
  if (secrets.length > 0) return { kind: 'wrong', issues: secrets };
  if (args.includes('--help') || args.includes('-h')) return { kind: 'help' };
  if (args.includes('--version') || args.includes('-v')) return { kind: 'version' };
  try {
    if (command === 'doctor') return readDoctor(rest, env);
    if (command === 'ls') return readList(rest, env);
  } catch (error) {
    if (!codeOf(error)?.startsWith('ERR_PARSE_ARGS')) throw error;
    // The rest of Node's message is about positional arguments that begin with a dash.
    const issue = String(propertyOf(error, 'message')).replace(/\.\s.*/s, '');
    return { kind: 'wrong', issues: [issue] };
  }
  const issue =
    command === undefined
      ? 'a command is missing'
      : `there is no command ${JSON.stringify(command)}`;
  return { kind: 'wrong', issues: [`${issue}: doctor or ls`] };
}

/** Everybody on this machine can read the arguments of a process, and shells keep them in their history. */
function secretsIn(args: readonly string[]): readonly string[] {
  return Object.entries(secretVariables).flatMap(([name, variable]) => {
    const isGiven = args.some(arg => arg === `--${name}` || arg.startsWith(`--${name}=`));
    const file = name === 'secret-key' ? undefined : `--${name}-file`;
    const instead = [variable, file].filter(each => each !== undefined).join(' or ');
    return isGiven
      ? [`--${name} is refused, because others can read arguments: use ${instead} instead`]
      : [];
  });
}

function readDoctor(args: readonly string[], env: Environment): CommandLine {
  const { values } = parseArgs({ args: [...args], options: doctorFlags });
  const issues: string[] = [];
  const common = commonOf(values, env, issues);
  const written = values.port ?? env['PORT'];
  const port = Number(written ?? 3_000);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    issues.push(`--port must be a whole number from 1 to 65535, got ${JSON.stringify(written)}`);
  if (issues.length > 0) return { kind: 'wrong', issues };
  const instance = {
    address: values['instance-address'],
    preferredNetwork: values['preferred-network'],
  };
  const fromVariable = env['PORT'] === undefined ? undefined : 'PORT';
  return {
    kind: 'doctor',
    settings: {
      ...common,
      options: { ...common.options, instance },
      host: values.host,
      port,
      portFrom: values.port === undefined ? fromVariable : '--port',
      probe: values.probe,
    },
  };
}

function readList(args: readonly string[], env: Environment): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: listFlags,
    allowPositionals: true,
  });
  const issues = positionals
    .slice(1)
    .map(extra => `only one service can be named, got also ${JSON.stringify(extra)}`);
  const common = commonOf(values, env, issues);
  if (issues.length > 0) return { kind: 'wrong', issues };
  const [service] = positionals;
  return { kind: 'ls', settings: { ...common, service, watch: values.watch ?? false } };
}

type CommonFlags = ReturnType<typeof parseArgs<{ options: typeof commonFlags }>>['values'];

function commonOf(flags: CommonFlags, env: Environment, issues: string[]): CommonSettings {
  const { address, project, domain, timeout } = flags;
  const { auth, secretFrom } = credentialsOf(flags, env, issues);
  const profile = profileNames.find(name => name === flags.profile);
  if (flags.profile !== undefined && profile === undefined)
    issues.push(
      `--profile must be one of ${profileNames.join(', ')}, got ${JSON.stringify(flags.profile)}`,
    );
  const timeoutMs = timeout === undefined ? undefined : Number(timeout);
  if (Number.isNaN(timeoutMs))
    issues.push(`--timeout must be a number of milliseconds, got ${JSON.stringify(timeout)}`);
  return {
    json: flags.json ?? false,
    secretFrom,
    options: {
      profile,
      serviceCenter: {
        addresses: address,
        project,
        domain,
        timeoutMs,
        auth,
        tls: {
          caFile: flags['ca-file'],
          certFile: flags['cert-file'],
          keyFile: flags['key-file'],
          passphraseFile: flags['passphrase-file'],
          servername: flags.servername,
        },
      },
    },
  };
}

interface GivenCredentials {
  readonly auth: AuthOptions | undefined;
  readonly secretFrom: string | undefined;
}

/** A flag wins over the variables, and an account over a token and keys. */
function credentialsOf(flags: CommonFlags, env: Environment, issues: string[]): GivenCredentials {
  const set = (name: string) => (env[name] === '' ? undefined : env[name]);
  const tokenFile = flags['token-file'];
  if (tokenFile !== undefined)
    return { auth: { token: () => secretIn(tokenFile) }, secretFrom: '--token-file' };
  const username = flags.username ?? set('SERVICE_CENTER_USERNAME');
  const passwordFile = flags['password-file'] ?? set('SERVICE_CENTER_PASSWORD_FILE');
  const password = set('SERVICE_CENTER_PASSWORD');
  if (username !== undefined || passwordFile !== undefined || password !== undefined) {
    if (username === undefined)
      issues.push('a password needs a user: --username or SERVICE_CENTER_USERNAME');
    else if (passwordFile !== undefined)
      return {
        auth: { username, passwordFile },
        secretFrom: flags['password-file'] ? '--password-file' : 'SERVICE_CENTER_PASSWORD_FILE',
      };
    else if (password !== undefined)
      return { auth: { username, password }, secretFrom: 'SERVICE_CENTER_PASSWORD' };
    else issues.push('a user needs a password: SERVICE_CENTER_PASSWORD or --password-file');
  }
  const token = set('SERVICE_CENTER_TOKEN');
  if (token !== undefined) return { auth: { token }, secretFrom: 'SERVICE_CENTER_TOKEN' };
  const accessKey = set('SERVICE_CENTER_ACCESS_KEY');
  const secretKey = set('SERVICE_CENTER_SECRET_KEY');
  if (accessKey === undefined || secretKey === undefined)
    return { auth: undefined, secretFrom: undefined };
  return { auth: { accessKey, secretKey }, secretFrom: 'SERVICE_CENTER_SECRET_KEY' };
}

async function secretIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const reason = codeOf(error) ?? 'unknown reason';
    throw new CredentialsError(
      'token',
      `the file ${JSON.stringify(file)} cannot be read: ${reason}`,
    );
  }
}

/** Text that `--help` prints. */
export const usage = `Usage: nestjs-servicecomb doctor [options]
       nestjs-servicecomb ls [service] [options]

doctor  checks the addresses of the registry, the credentials, the permission to register and the
        address that would be published from here, and says what to change. It registers a probe
        and removes it again.
ls      lists services and instances. A service is a name, or an application and a name: shop/orders

  --address <url>          address of the registry; may be repeated
                           (default: SERVICE_CENTER_ADDRESS, PAAS_CSE_SC_ENDPOINT, http://127.0.0.1:30100)
  --project <name>         project (default: default)
  --domain <name>          domain, for cse-legacy
  --profile <name>         open-source (default), cse-exclusive, cse-professional or cse-legacy
  --timeout <ms>           longest wait for an answer (default: 5000)
  --username <name>        account; also SERVICE_CENTER_USERNAME
  --password-file <file>   file with its password; also SERVICE_CENTER_PASSWORD_FILE,
                           or the password itself in SERVICE_CENTER_PASSWORD
  --token-file <file>      file with a token; or the token itself in SERVICE_CENTER_TOKEN
  --ca-file <file>         certificates to trust instead of Node's, in PEM
  --cert-file, --key-file, --passphrase-file <file>
                           certificate of this client, its key, and the key's passphrase
  --servername <name>      host name in the certificate of the registry
  --json                   prints JSON
  -h, --help, -v, --version

doctor only:
  --port <number>          port of the application (default: PORT, 3000)
  --host <address>         address that the application listens on (default: all interfaces)
  --instance-address <host>, --preferred-network <cidr or interface>
                           the options instance.address and instance.preferredNetwork
  --probe <name>           name of the probe, for accounts that may register some names only

ls only:
  --watch                  reads the registry every 5 s until Ctrl-C

Access keys are read from SERVICE_CENTER_ACCESS_KEY and SERVICE_CENTER_SECRET_KEY.
Exit codes: 0 nothing has to change, 1 something has, 2 the command line is not valid,
130 stopped with Ctrl-C.`;
