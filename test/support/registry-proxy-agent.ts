import type { SecureContextOptions } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';

/** An agent that reaches the registry through a proxy, as docs/credentials-and-tls.md shows it. */
export function registryProxyAgent(
  proxyUrl: string,
  { ca, cert, key }: SecureContextOptions,
): HttpsProxyAgent<string> {
  const httpsAgent = new HttpsProxyAgent(proxyUrl, { keepAlive: true });
  // TLS with the registry: the constructor takes the options of TLS with the proxy.
  Object.assign(httpsAgent.options, { ca, cert, key, rejectUnauthorized: true });
  return httpsAgent;
}
