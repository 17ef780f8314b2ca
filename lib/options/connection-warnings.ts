import { isLoopback } from './network-address.js';
import type { ResolvedOptions } from './resolved-options.js';

type Settings = Pick<
  ResolvedOptions['serviceCenter'],
  'addresses' | 'auth' | 'learnAddresses' | 'tls' | 'axios'
>;

/** Returns what is insecure or without effect in the connection to the registry; logged at each start. */
export function connectionWarnings(settings: Settings): readonly string[] {
  const { tls, axios, addresses, learnAddresses } = settings;
  const isSet = (tls.material ?? tls.servername) !== undefined;
  const hasAgent = axios?.().httpsAgent !== undefined;
  const isPlain = addresses.every(address => address.startsWith('http:')) && !learnAddresses;
  return [
    ...unprotectedAddresses(settings).map(
      address => `Credentials are sent to ${address} unencrypted: use https`,
    ),
    ...(tls.rejectUnauthorized ? [] : [unverified]),
    ...(isSet && hasAgent
      ? [`${unused}: serviceCenter.axios.httpsAgent replaces it; remove one of them`]
      : []),
    ...(isSet && isPlain
      ? [
          `${unused}: no address of the registry begins with https://; correct the addresses or remove it`,
        ]
      : []),
  ];
}

const unused = 'serviceCenter.tls has no effect';

const unverified =
  'INSECURE: serviceCenter.tls.rejectUnauthorized is false, so the certificate of the registry is not ' +
  'verified: whoever answers in its place can read and change all that is sent. Set serviceCenter.tls.ca ' +
  'or caFile instead';

/** Returns the addresses that credentials are sent to unencrypted, over a network. */
function unprotectedAddresses({ addresses, auth }: Settings): readonly string[] {
  if (auth === undefined) return [];
  return addresses.filter(address => {
    const { protocol, hostname } = new URL(address);
    return protocol === 'http:' && !isLoopback(hostname);
  });
}
