import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpService } from '@nestjs/axios';
import { EmbeddedServiceCenter } from 'embedded-service-center';
import { optionRules } from '../../lib/nest/registry.providers.js';
import { readHostFacts } from '../../lib/options/host-facts.js';
import type { ServiceCenterOptions } from '../../lib/options/options.js';
import { resolveOptions } from '../../lib/options/resolve-options.js';
import { AddressBook } from '../../lib/protocol/address-book.js';
import { Channel } from '../../lib/protocol/channel.js';
import { ServiceCenterClient } from '../../lib/protocol/service-center.client.js';
import { Connections, createPrivateAxios, sendThrough } from '../../lib/transport/http.js';
import { startTimer } from '../../lib/nest/ticker.js';

/** A client that sends over real HTTP, as the module's own does. */
export function httpClient(
  address: string,
  { domain, ...options }: ServiceCenterOptions = {},
): ServiceCenterClient {
  const written = { serviceCenter: { addresses: [address], ...options } };
  const { serviceCenter } = resolveOptions(written, readHostFacts(), optionRules);
  const connections = new Connections(serviceCenter, startTimer);
  const http = new HttpService(createPrivateAxios(connections, serviceCenter));
  const clock = { now: () => performance.now() };
  const settings = { ...serviceCenter, domain, clock };
  const addresses = new AddressBook(serviceCenter.addresses);
  return new ServiceCenterClient(new Channel(sendThrough(http), addresses, settings));
}

/** The registry that a contract is tested on, and what time is there. */
export interface RegistryUnderTest {
  readonly address: string;
  /** Lets that much time pass at the registry. */
  wait(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** The registry at `SERVICE_CENTER_ADDRESS`, or an embedded one whose time passes as told. */
export async function startRegistry(): Promise<RegistryUnderTest> {
  const address = process.env['SERVICE_CENTER_ADDRESS']?.split(',')[0];
  if (address !== undefined && address !== '')
    return { address, wait: ms => sleep(ms), stop: async () => undefined };
  let now = Date.UTC(2026, 0, 1);
  const serviceCenter = new EmbeddedServiceCenter({ port: 0, clock: { now: () => now } });
  const { url } = await serviceCenter.start();
  return {
    address: url,
    wait: async ms => {
      now += ms;
    },
    stop: () => serviceCenter.stop(),
  };
}

/** A text that was never used before: a real registry remembers. */
export function fresh(name: string): string {
  return `${name}-${randomUUID().slice(0, 13)}`;
}
