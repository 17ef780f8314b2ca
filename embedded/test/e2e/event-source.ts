import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { EmbeddedServiceCenter } from '../../lib/index.js';
import type { PageEvents } from '../../lib/page/messages.js';

/** A client of `/-/events`, like a browser. */
export class EventClient {
  readonly #response: IncomingMessage;
  readonly #told: { readonly name: string; readonly data: unknown }[] = [];
  #wake: () => void = () => undefined;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const messages = text.split('\n\n');
      text = messages.pop() ?? '';
      for (const message of messages) this.#take(message);
    });
    response.on('error', () => undefined);
  }

  /** Resolves once the answer has started. */
  static listen({ url }: EmbeddedServiceCenter): Promise<EventClient> {
    return new Promise((resolve, reject) => {
      get(`${url}/-/events`, { agent: false }, response => resolve(new EventClient(response))).on(
        'error',
        reject,
      );
    });
  }

  get headers(): IncomingMessage['headers'] {
    return this.#response.headers;
  }

  /** Resolves to the next event of a name and drops earlier ones. */
  async next<Name extends keyof PageEvents>(wanted: Name): Promise<PageEvents[Name]> {
    for (;;) {
      const told = this.#told.shift();
      if (told?.name === wanted) return told.data as PageEvents[Name];
      if (told === undefined)
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
    }
  }

  /** Number of received events that were not read yet. */
  get waiting(): number {
    return this.#told.length;
  }

  leave(): void {
    this.#response.destroy();
  }

  #take(message: string): void {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
    if (name === undefined || data === undefined) return;
    this.#told.push({ name, data: JSON.parse(data) });
    this.#wake();
  }
}
