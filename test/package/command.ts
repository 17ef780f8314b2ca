import { execFile } from 'node:child_process';

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command as a user's shell would and resolves with its standard output.
 *
 * @throws Error with all that the command printed
 */
export function runCommand(
  [command, ...args]: readonly [string, ...string[]],
  { cwd, env = {} }: CommandOptions,
): Promise<string> {
  const options = { cwd, env: { ...userEnvironment(), ...env }, maxBuffer: 64 * 1_024 ** 2 };
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${[command, ...args].join(' ')}\n${stdout}${stderr}`));
    });
  });
}

/** Variables that npm and jest set for their children, and that change what npm, jest and vitest do. */
const ofTheTestRun =
  /^(npm_(package|lifecycle)_.*|npm_command|npm_config_local_prefix|INIT_CWD|NODE_ENV|NODE_OPTIONS|JEST_.*)$/;

/** Returns the environment as the shell had it from which the tests were started. */
export function userEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !ofTheTestRun.test(name)),
  );
}
