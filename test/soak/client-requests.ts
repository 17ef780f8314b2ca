import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

const started = 'http.client.request.start';

/** Heartbeats as this process sends them: the registry does not see those that never arrive. */
export class ClientRequests {
  readonly #open = new Map<string, Set<ClientRequest>>();
  readonly #listener = (message: unknown) => this.#note((message as Started).request);

  /** @param onOverlap told of a heartbeat that was sent while another was on its way */
  constructor(private readonly onOverlap: (path: string) => void) {}

  start(): void {
    subscribe(started, this.#listener);
  }

  stop(): void {
    unsubscribe(started, this.#listener);
  }

  #note(request: ClientRequest): void {
    const { path } = request;
    if (!path.endsWith('/heartbeat')) return;
    const open = this.#open.get(path) ?? new Set();
    this.#open.set(path, open);
    // One that was given up is destroyed at once, one that failed errs at once; both close later.
    if ([...open].some(other => !other.destroyed)) this.onOverlap(path);
    open.add(request);
    for (const end of ['error', 'close']) request.once(end, () => open.delete(request));
  }
}

interface Started {
  readonly request: ClientRequest;
}
