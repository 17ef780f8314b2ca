import { RegistryOptionsError } from '../errors.js';
import { discoveryRules } from '../discovery/rules.js';
import { schemaProblem } from '../protocol/schema-documents.js';
import { type AddressList, networkAddresses } from '../options/host-addresses.js';
import { type HostFacts, readHostFacts } from '../options/host-facts.js';
import type { RegistryModuleOptions } from '../options/options.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { resolveOptions } from '../options/resolve-options.js';
import { version } from '../version.js';
import {
  type DoctorSettings,
  flagFor,
  type ListSettings,
  readCommandLine,
  usage,
} from './arguments.js';
import { connect, pause } from './connection.js';
import { examine } from './doctor.js';
import { list, type ListParts } from './list.js';
import { isFine, jsonOf, textOf } from './report.js';
import { paintFor, type Terminal } from './terminal.js';

const optionRules = { ...discoveryRules, schemaProblem };

/** Exit codes; Ctrl-C has the one that shells give it. */
const fine = 0;
const mustChange = 1;
const wrongUsage = 2;
const stoppedByUser = 130;

/** What a command depends on besides its terminal. */
export interface Surroundings {
  /** The addresses of this machine. */
  readonly machine: AddressList;
  /** Waits from one reading to the next with `--watch`. */
  readonly delay: ListParts['delay'];
}

/** Runs a command line and resolves with its exit code. */
export async function run(
  terminal: Terminal,
  { machine = networkAddresses(), delay = pause }: Partial<Surroundings> = {},
): Promise<number> {
  const commandLine = readCommandLine(terminal.args, terminal.env);
  switch (commandLine.kind) {
    case 'help':
      terminal.print(usage);
      return fine;
    case 'version':
      terminal.print(version);
      return fine;
    case 'wrong':
      return refuse(commandLine.issues, terminal);
    case 'doctor':
      return withOptions(commandLine.settings.options, terminal, options =>
        runDoctor(commandLine.settings, options, terminal, machine),
      );
    case 'ls':
      // The service that this folder belongs to does not matter.
      return withOptions(
        { ...commandLine.settings.options, microservice: { serviceName: 'ls', version: '0' } },
        terminal,
        options => runList(commandLine.settings, options, { ...terminal, delay }),
      );
  }
}

function refuse(issues: readonly string[], { printError }: Terminal): number {
  printError(`${issues.join('\n')}\n\nnestjs-servicecomb --help lists commands and options`);
  return wrongUsage;
}

async function withOptions(
  written: RegistryModuleOptions,
  terminal: Terminal,
  execute: (options: ResolvedOptions) => Promise<number>,
): Promise<number> {
  let options;
  try {
    options = resolveOptions(written, factsFor(terminal), optionRules);
  } catch (error) {
    if (!(error instanceof RegistryOptionsError)) throw error;
    return refuse(
      error.issues.map(({ path, message }) => `${flagFor(path)} ${message}`),
      terminal,
    );
  }
  return execute(options);
}

/** Where no package.json is near, any name does: it is only shown. */
function factsFor({ env }: Terminal): HostFacts {
  const facts = readHostFacts();
  return { ...facts, env, packageName: facts.packageName ?? 'unnamed' };
}

async function runDoctor(
  settings: DoctorSettings,
  options: ResolvedOptions,
  terminal: Terminal,
  machine: AddressList,
): Promise<number> {
  const { stopped, showProgress, print, printError } = terminal;
  const sections = await examine({ settings, options, machine, stopped, showProgress });
  showProgress(undefined);
  if (stopped.aborted) {
    const removal = sections.flatMap(({ checks }) => checks).find(({ name }) => name === 'remove');
    printError(`Stopped: ${removal === undefined ? 'nothing was registered' : removal.text}`);
    if (removal?.finding !== undefined) printError(removal.finding.change);
    return stoppedByUser;
  }
  print(
    settings.json
      ? jsonOf(sections)
      : textOf(sections, { paint: paintFor(terminal), columns: terminal.columns }),
  );
  return isFine(sections) ? fine : mustChange;
}

async function runList(
  settings: ListSettings,
  options: ResolvedOptions,
  terminal: Terminal & Pick<Surroundings, 'delay'>,
): Promise<number> {
  const connection = connect(options);
  try {
    return await list({ ...terminal, settings, connection, paint: paintFor(terminal) });
  } finally {
    connection.close();
  }
}
