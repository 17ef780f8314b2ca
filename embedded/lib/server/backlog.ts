/** The most bytes that may wait for all clients of one kind together. */
const mostBytesInAll = 64 * 1024 * 1024;

/** Fewer bytes than this are on their way rather than unread. */
const fewBytes = 64 * 1024;

/** A client, as far as its unread data is concerned. */
export interface Reader {
  /** Bytes that were sent and wait for the client to read. */
  readonly waitingBytes: number;
  /** Closes the connection and drops what waits. */
  close(): void;
}

/**
 * Bounds what waits for clients that do not read, so that they cannot use up the memory: beyond 64
 * MiB in all, those that have been behind for longest are closed.
 */
export class Backlog<Client extends Reader> {
  /** The client that has been behind for longest comes first. */
  readonly #behind = new Set<Client>();

  /** To be called whenever something was sent to a client. */
  check(client: Client): void {
    if (client.waitingBytes < fewBytes) {
      this.#behind.delete(client);
      return;
    }
    this.#behind.add(client);
    this.#closeLongest();
  }

  /** To be called when a client has gone. */
  forget(client: Client): void {
    this.#behind.delete(client);
  }

  #closeLongest(): void {
    let total = 0;
    for (const { waitingBytes } of this.#behind) total += waitingBytes;
    for (const client of this.#behind) {
      if (total <= mostBytesInAll) return;
      total -= client.waitingBytes;
      this.#behind.delete(client);
      client.close();
    }
  }
}
