import { inspect } from 'node:util';
import type { AddressList } from '../options/host-addresses.js';
import {
  type ListeningServer,
  type Machine,
  type PublishedEndpoints,
  publishedEndpoints,
} from '../options/published-address.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { Background, type BackgroundWork } from '../background/background.js';
import { type Clock, late, within } from '../background/clock.js';
import type { RegistryLogger } from './tokens.js';

/** How long to wait for the route to the registry: the resolver of a host name may hang. */
const patienceMs = 2_000;

/** The collaborators of an {@link EndpointPublisher}. */
export interface EndpointPublisherParts {
  readonly options: Pick<ResolvedOptions, 'instance' | 'serviceCenter'>;
  /** Called with the endpoints, and again when they change. */
  readonly publish: (endpoints: readonly string[]) => void;
  readonly logger: Pick<RegistryLogger, 'log' | 'warn'>;
  readonly clock: Clock;
  /** Milliseconds from one look at the addresses of this machine to the next, at least. */
  readonly everyMs: number;
  readonly networkAddresses: () => AddressList;
  /** Resolves with the address of this machine from which it reaches a URL. Never rejects. */
  readonly addressTowards: (url: string) => Promise<string | undefined>;
}

/**
 * Publishes the endpoints of a server that listens, and again when this machine has lost the address that
 * was chosen. It needs no wake-up of its own: it looks in the turns that heartbeats take anyway.
 */
export class EndpointPublisher implements BackgroundWork {
  #server: ListeningServer | undefined;
  #routes: Promise<readonly string[]> | undefined;
  #published: readonly string[] = [];
  #chosen: string | undefined;
  #dueAt = Infinity;
  readonly #logged = new Set<string>();
  readonly #background = new Background();

  constructor(private readonly parts: EndpointPublisherParts) {}

  /** Starts to look up the route to the registry, so that it is known once a server listens. */
  prepare(): void {
    this.#routes ??= this.#lookUp();
  }

  /**
   * Publishes the endpoints of a server, and those of `instance.endpoints`.
   * @throws RegistryOptionsError when the server has no endpoint
   */
  async publish(server: ListeningServer | undefined): Promise<void> {
    this.#server = server;
    const withoutRoutes = this.#endpoints([]);
    if (withoutRoutes.chosen === undefined) return this.#use(withoutRoutes);
    this.prepare();
    this.#use(this.#endpoints((await this.#routes) ?? []));
    this.#dueAt = this.parts.clock.now() + this.parts.everyMs;
  }

  tick(): number {
    this.#background.throwPending();
    if (this.#dueAt > this.parts.clock.now()) return Infinity;
    this.#dueAt = this.parts.clock.now() + this.parts.everyMs;
    // A server that was closed has no endpoint: the last one stays.
    if (this.#server?.address() === null) return Infinity;
    const { addresses } = this.parts.networkAddresses();
    if (!addresses.some(({ address }) => address === this.#chosen))
      this.#background.start(signal => this.#publishAgain(signal));
    return Infinity;
  }

  stop(): void {
    this.#background.stop();
  }

  async #publishAgain(signal: AbortSignal): Promise<void> {
    const routes = await this.#lookUp();
    signal.throwIfAborted();
    this.#use(this.#endpoints(routes));
  }

  #endpoints(routes: Machine['routes']): PublishedEndpoints {
    const { addresses, error } = this.parts.networkAddresses();
    const machine = { networkInterfaces: addresses, routes, current: this.#chosen };
    const found = publishedEndpoints(this.#server, this.parts.options, machine);
    if (error !== undefined && found.chosen !== undefined)
      this.#logOnce('warn', `${noAddresses}: ${inspect(error, { depth: 0 }).split('\n')[0]}`);
    return found;
  }

  #use({ endpoints, chosen, warnings, note }: PublishedEndpoints): void {
    const previous = this.#chosen;
    this.#chosen = chosen;
    for (const warning of warnings) this.#logOnce('warn', warning);
    if (note !== undefined) this.#logOnce('log', note);
    if (endpoints.join() === this.#published.join()) return;
    if (previous !== undefined && previous !== chosen)
      this.parts.logger.log(
        `This machine has no address ${previous} any more; publishing ${endpoints.join(', ')}`,
      );
    this.#published = endpoints;
    this.parts.publish(endpoints);
  }

  #logOnce(level: 'log' | 'warn', message: string): void {
    if (!this.#logged.has(message)) this.parts.logger[level](message);
    this.#logged.add(message);
  }

  /** Resolves with the addresses of this machine on the way to the registry, in the order of its addresses. */
  async #lookUp(): Promise<readonly string[]> {
    const { addressTowards, clock, options } = this.parts;
    const answers = options.serviceCenter.addresses.map(async url =>
      within(patienceMs, addressTowards(url), clock),
    );
    const routes = await Promise.all(answers);
    return routes.filter(route => route !== late && route !== undefined);
  }
}

const noAddresses =
  'The operating system does not list the addresses of this machine; set instance.address if the ' +
  'published one is wrong';
