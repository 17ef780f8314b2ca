// src/discovered-client-tcp.ts
import { ClientProxy, ClientTCP, type ReadPacket } from '@nestjs/microservices';
import type { Candidate, Discovery } from '../../lib/index.js';
import { defer, lastValueFrom, type Observable } from 'rxjs';

export class DiscoveredClientTcp extends ClientProxy {
  readonly #clients = new Map<string, ClientTCP>();

  constructor(private readonly options: { discovery: Discovery; provider: string }) {
    super();
  }

  override send<Answer>(pattern: unknown, data: unknown): Observable<Answer> {
    return defer(() => this.#call(client => client.send<Answer>(pattern, data)));
  }

  protected override dispatchEvent<Answer>({ pattern, data }: ReadPacket): Promise<Answer> {
    return this.#call(client => client.emit<Answer>(pattern, data));
  }

  #call<Answer>(action: (client: ClientTCP) => Observable<Answer>): Promise<Answer> {
    const { discovery, provider } = this.options;
    const call = (to: Candidate) => lastValueFrom(action(this.#clientOf(to)));
    return discovery.call(provider, call, { scheme: 'tcp' });
  }

  #clientOf({ url, endpoint: { host, port } }: Candidate): ClientTCP {
    const client = this.#clients.get(url) ?? new ClientTCP({ host, port });
    this.#clients.set(url, client);
    return client;
  }

  async connect(): Promise<void> {}

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  unwrap(): never {
    throw new Error('There is a socket for each instance');
  }

  protected publish(): never {
    throw new Error('send() does not publish');
  }
}
