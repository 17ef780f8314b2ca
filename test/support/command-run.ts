import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { run } from '../../lib/cli/command.js';
import type { AddressList } from '../../lib/options/host-addresses.js';

/** What a command printed, and its exit code. */
export interface CommandRun {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
  /** What it said that it waited for. */
  readonly progress: readonly string[];
}

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** The addresses of the machine. @default one that others reach */
  readonly machine?: AddressList;
  readonly stopped?: AbortSignal;
  readonly onOutput?: (text: string) => void;
  readonly delay?: (ms: number) => Promise<void>;
  /** The width of the terminal. @default so wide that no line breaks */
  readonly columns?: number;
}

/** A machine with nothing but a loopback interface. */
export const lonelyMachine: AddressList = {
  addresses: [{ name: 'lo', address: '127.0.0.1', family: 'IPv4', internal: true }],
};

/** Runs a command in this process, as its program does. Its application has a name of its own. */
export async function runCommandLine(
  args: readonly string[],
  {
    env = {},
    stopped = new AbortController().signal,
    onOutput,
    columns = 1_000,
    ...others
  }: Surroundings = {},
): Promise<CommandRun> {
  const output: string[] = [];
  const errors: string[] = [];
  const progress: string[] = [];
  const terminal = {
    args,
    env: { SERVICECOMB_SERVICE_NAME: 'orders', SERVICECOMB_VERSION: '1.2.0', ...env },
    print: (text: string) => {
      output.push(text);
      onOutput?.(text);
    },
    printError: (text: string) => errors.push(text),
    isTerminal: false,
    columns,
    showProgress: (text: string | undefined) => {
      if (text !== undefined) progress.push(text);
    },
    stopped,
  };
  const code = await run(terminal, others);
  return { code, output: output.join('\n'), errors: errors.join('\n'), progress };
}

/** Returns the lines of a report that say what to change: fact, consequence, change, for each finding. */
export function findingsIn({ output }: CommandRun): readonly string[] {
  return output
    .split('\n')
    .filter(line => /^(\d+\.| {3}\S)/.test(line))
    .map(line => line.trim());
}

/** Returns a port at which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
