import type { ResolvedOptions } from '../options/resolved-options.js';

type Settings = Pick<
  ResolvedOptions['serviceCenter'],
  'addresses' | 'learnAddresses' | 'tls' | 'axios'
>;

/** What is wrong with how the registry is connected to, though it may be wanted: told at each start. */
export function connectionWarnings(settings: Settings): readonly string[] {
  const { tls, axios, addresses, learnAddresses } = settings;
  const agent: unknown = axios?.().httpsAgent;
  const isSet = tls.ca ?? tls.cert ?? tls.servername;
  const isPlain = addresses.every(address => address.startsWith('http:')) && !learnAddresses;
  return [
    ...(tls.rejectUnauthorized ? [] : [trusting('serviceCenter.tls.rejectUnauthorized is false')]),
    ...(trustsAll(agent) ? [trusting('serviceCenter.axios.httpsAgent does not verify')] : []),
    ...(isSet !== undefined && agent !== undefined
      ? ['serviceCenter.tls is not used: serviceCenter.axios.httpsAgent takes its place']
      : []),
    ...(isSet !== undefined && isPlain
      ? ['serviceCenter.tls is not used: no address of the registry begins with https://']
      : []),
  ];
}

function trusting(what: string): string {
  return (
    `INSECURE: ${what}, so whoever answers is taken for the registry, and may read and change all ` +
    'that is sent. Set serviceCenter.tls.ca or caFile instead'
  );
}

function trustsAll(agent: unknown): boolean {
  return property(property(agent, 'options'), 'rejectUnauthorized') === false;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
