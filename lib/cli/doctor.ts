import type { AddressList } from '../options/host-addresses.js';
import { connectionWarnings } from '../options/connection-warnings.js';
import { profileWarnings } from '../options/profiles.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { checkAddress } from './address-check.js';
import type { DoctorSettings } from './arguments.js';
import { connect } from './connection.js';
import { checkPublished } from './published-check.js';
import { checkLogin, checkRegistration } from './registration-check.js';
import type { Check, Section } from './report.js';
import type { Terminal } from './terminal.js';

/** What `doctor` checks with. */
export interface DoctorParts extends Pick<Terminal, 'showProgress' | 'stopped'> {
  readonly settings: DoctorSettings;
  readonly options: ResolvedOptions;
  /** The addresses of this machine. */
  readonly machine: AddressList;
}

/** Checks one thing after the other. Once stopped, it begins nothing new; the probe is removed. */
export async function examine(parts: DoctorParts): Promise<readonly Section[]> {
  const { options, settings, machine, stopped, showProgress } = parts;
  const sections: Section[] = [];
  let serving: string | undefined;
  for (const address of options.serviceCenter.addresses) {
    if (stopped.aborted) break;
    showProgress(`Checking ${address}`);
    const { section, isServing } = await checkAddress(address, { options, stopped });
    sections.push(section);
    if (isServing) serving ??= address;
  }
  if (serving !== undefined && !stopped.aborted)
    sections.push(...(await examineRegistration(serving, parts)));
  if (stopped.aborted) return sections;
  showProgress('Checking the published endpoint');
  const { host, port, portFrom } = settings;
  sections.push(await checkPublished({ options, machine, host, port, portFrom, stopped }));
  return [...sections, ...optionsSection(options)];
}

/** One login for the whole run, at one address: a second refusal would be nearer to a ban. */
async function examineRegistration(
  address: string,
  { options, settings, stopped, showProgress }: DoctorParts,
): Promise<readonly Section[]> {
  const { secretFrom, probe } = settings;
  const connection = connect(options, { addresses: [address] });
  const parts = { options, connection, secretFrom, probe, stopped };
  try {
    showProgress(`Logging in at ${address}`);
    const login = await checkLogin(parts);
    const sections = login === undefined ? [] : [login];
    if (login?.checks.some(({ status }) => status === 'problem') || stopped.aborted)
      return sections;
    showProgress(`Registering a probe at ${address}`);
    return [...sections, await checkRegistration(parts)];
  } finally {
    connection.close();
  }
}

/** What the application would warn of at its start. */
function optionsSection(options: ResolvedOptions): readonly Section[] {
  const off = options.enabled
    ? []
    : ['The module is switched off here (SERVICECOMB_ENABLED): the application does not register'];
  const warnings = [
    ...off,
    ...options.warnings,
    ...connectionWarnings(options.serviceCenter),
    ...profileWarnings(options),
  ];
  const checks = warnings.map((text): Check => ({ name: 'at the start', status: 'warning', text }));
  return checks.length === 0 ? [] : [{ title: 'Options', checks }];
}
