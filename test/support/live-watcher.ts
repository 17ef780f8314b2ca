import { HttpService } from '@nestjs/axios';
import type { Clock } from '../../lib/background/clock.js';
import { createCredentials } from '../../lib/credentials/credentials.js';
import { Watcher } from '../../lib/discovery/watcher.js';
import type { ServiceCombError, ServiceCenterOptions } from '../../lib/index.js';
import { readHostFacts } from '../../lib/options/host-facts.js';
import { optionRules } from '../../lib/nest/registry.providers.js';
import { resolveOptions } from '../../lib/options/resolve-options.js';
import { startTimer, waitIdly } from '../../lib/nest/ticker.js';
import { AddressBook } from '../../lib/protocol/address-book.js';
import { Channel } from '../../lib/protocol/channel.js';
import type { OpenSocket } from '../../lib/protocol/open-socket.js';
import { ServiceCenterClient } from '../../lib/protocol/service-center.client.js';
import { Connections, createPrivateAxios, sendThrough } from '../../lib/transport/http.js';
import { openSocketOver } from '../../lib/transport/web-socket.js';

/** Longest wait for something that must happen; only a failing test waits that long. */
const patienceMs = 10_000;

/** What a watcher told: a provider for a hint, an error for what has failed. */
export type Told = readonly [name: string, about?: unknown];

/** How a watcher is set up. */
export interface LiveWatcherSettings {
  /** @default the time of this machine */
  readonly clock?: Pick<Clock, 'now'>;
  readonly serviceCenter?: ServiceCenterOptions;
  readonly load?: Parameters<typeof openSocketOver>[2];
}

/** A watcher over real sockets, and all that it tells. It retries at once, and ticks when something is due. */
export class LiveWatcher {
  readonly told: Told[] = [];
  readonly watcher: Watcher;
  readonly channel: Channel;
  readonly client: ServiceCenterClient;
  readonly #waiting = new Set<() => void>();
  #read = 0;

  constructor(
    url: string,
    { clock = performance, serviceCenter = {}, load }: LiveWatcherSettings = {},
  ) {
    const written = { serviceCenter: { addresses: [url], ...serviceCenter } };
    const options = resolveOptions(written, readHostFacts(), optionRules).serviceCenter;
    const connections = new Connections(options, startTimer);
    const send = sendThrough(new HttpService(createPrivateAxios(connections, options)));
    const settings = { ...options, clock };
    const parts = { send, settings, clock: { now: () => clock.now(), random: () => 0 } };
    const credentials = createCredentials(options.auth, { ...parts, delay: waitIdly });
    this.channel = new Channel(send, new AddressBook(options.addresses), settings, credentials);
    this.client = new ServiceCenterClient(this.channel);
    const failed = (name: string) => (_: string | undefined, error: ServiceCombError) =>
      this.#tell(name, error);
    this.watcher = new Watcher(
      this.#heard(openSocketOver(connections, options, load)),
      {
        clock,
        random: () => 0,
        request: (serviceId, bounds) => this.channel.watchRequest(serviceId, bounds),
      },
      {
        hint: provider => this.#tell('hint', provider),
        opened: address => this.#tell('opened', address),
        lost: failed('lost'),
        failed: failed('failed'),
        silentRegistry: failed('silent'),
        unavailable: error => this.#tell('unavailable', error),
        due: () => queueMicrotask(() => this.watcher.tick()),
      },
    );
  }

  #heard(open: OpenSocket): OpenSocket {
    return (handshake, events) =>
      open(handshake, {
        opened: () => events.opened(),
        received: text => events.received(text),
        ended: end => events.ended(end),
        heard: () => {
          events.heard();
          this.#tell('heard');
        },
      });
  }

  #tell(name: string, about?: unknown): void {
    this.told.push(about === undefined ? [name] : [name, about]);
    for (const wake of this.#waiting) wake();
  }

  /** Resolves with the next that it tells after what was read already. */
  async next(): Promise<Told> {
    const deadline = AbortSignal.timeout(patienceMs);
    while (this.told.length <= this.#read && !deadline.aborted)
      await new Promise<void>(resolve => {
        this.#waiting.add(resolve);
        deadline.addEventListener('abort', () => resolve());
      });
    this.#waiting.clear();
    const told = this.told[this.#read];
    if (told === undefined)
      throw new Error(`It tells nothing; before: ${JSON.stringify(this.told)}`);
    this.#read += 1;
    return told;
  }

  /** Watches for a consumer, and resolves when the connection is open. */
  async open(consumerId: string): Promise<void> {
    this.#read = this.told.length;
    this.watcher.want(consumerId);
    this.watcher.tick();
    const [name, about] = await this.next();
    if (name !== 'opened') throw new Error(`It is not open, but ${name}`, { cause: about });
  }
}
