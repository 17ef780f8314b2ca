import type { TlsDefaults } from '../options/host-facts.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { unprotectedAddresses } from './credentials.js';

type Settings = Pick<
  ResolvedOptions['serviceCenter'],
  'addresses' | 'auth' | 'learnAddresses' | 'tls' | 'proxy' | 'axios'
>;

/** What is wrong with how the registry is connected to, though it may be wanted: told at each start. */
export function connectionWarnings(settings: Settings, defaults: TlsDefaults): readonly string[] {
  const { tls, axios, addresses, learnAddresses, proxy } = settings;
  const agent: unknown = axios?.().httpsAgent;
  const isSet = tls.ca ?? tls.cert ?? tls.servername;
  const isPlain = addresses.every(address => address.startsWith('http:')) && !learnAddresses;
  return [
    ...unprotectedAddresses(settings).map(
      address => `Credentials go to ${address} unencrypted: use https`,
    ),
    ...(tls.rejectUnauthorized ? [] : [trusting('serviceCenter.tls.rejectUnauthorized is false')]),
    ...(agent === undefined ? [] : agentWarnings(agent, defaults)),
    ...(isSet !== undefined && agent !== undefined
      ? ['serviceCenter.tls is not used: serviceCenter.axios.httpsAgent takes its place']
      : []),
    ...(proxy?.https !== undefined && agent !== undefined
      ? ['No proxy is used for https addresses: serviceCenter.axios.httpsAgent takes its place']
      : []),
    ...(isSet !== undefined && isPlain
      ? ['serviceCenter.tls is not used: no address of the registry begins with https://']
      : []),
  ];
}

/** Of an agent that is not ours, so that nothing is set in it. */
function agentWarnings(agent: unknown, { verifies, minVersion }: TlsDefaults): readonly string[] {
  const options = property(agent, 'options');
  const its = property(options, 'rejectUnauthorized');
  const goesByVariable = its === undefined && !verifies;
  const oldest =
    property(options, 'secureProtocol') ?? property(options, 'minVersion') ?? minVersion;
  return [
    ...(its === false ? [trusting('serviceCenter.axios.httpsAgent does not verify')] : []),
    ...(goesByVariable
      ? [trusting('NODE_TLS_REJECT_UNAUTHORIZED is 0, and serviceCenter.axios.httpsAgent heeds it')]
      : []),
    ...(typeof oldest === 'string' && below12.test(oldest) ? [outdated] : []),
  ];
}

/** Names of versions, and of the older `secureProtocol`. */
const below12 = /^TLSv1([._]1)?(_(client_|server_)?method)?$/;

const outdated =
  'INSECURE: serviceCenter.axios.httpsAgent speaks TLS below 1.2, so what is sent may be read and ' +
  "changed on the way. Give it the minVersion 'TLSv1.2'";

function trusting(what: string): string {
  return (
    `INSECURE: ${what}, so whoever answers is taken for the registry, and may read and change all ` +
    'that is sent. Set serviceCenter.tls.ca or caFile instead'
  );
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
