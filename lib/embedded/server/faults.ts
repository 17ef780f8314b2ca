import { json } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import { messageOf } from '../model/registry-error.js';
import type { ErrorBody } from '../model/registry-error.js';
import { Fault } from './fault.js';
import type { Affliction } from './fault.js';
import type { FaultMatch, Matchable } from './fault-match.js';

/** Ends a fault. Requests it holds are let go; calling it again does nothing. */
export type Dispose = () => void;

/** An error in the registry's form; the message that belongs to the code is filled in. */
export interface FaultError {
  readonly errorCode: number | string;
  readonly errorMessage?: string | undefined;
  readonly detail?: string | undefined;
}

/** Which requests an answer replaces, and what goes with it. */
export interface AnswerMatch extends FaultMatch {
  /** @default 'text/plain; charset=utf-8' for text, 'application/json; charset=UTF-8' for an object */
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How the embedded Service Center stops and starts listening. */
export interface Door {
  close(): Promise<void>;
  open(): Promise<void>;
}

/**
 * Everything that can go wrong with a registry, on demand. Of several faults that match a request
 * the latest strikes. A fault holds until it is disposed of, cleared or spent. A WebSocket is a request
 * until its handshake is answered; once it is open, only refusing connections ends it.
 */
export class Faults {
  readonly #door: Door;
  readonly #faults = new Set<Fault>();
  #isRefusing = false;

  /** @internal */
  constructor(door: Door) {
    this.#door = door;
  }

  /** Accepts requests and never answers. Letting go of one closes its connection. */
  hang(match: FaultMatch = {}): Dispose {
    return this.#add(match, ({ exchange, execute }) => {
      if (match.when === 'after') execute();
      return () => exchange.close();
    });
  }

  /** Answers late. Letting go of a request answers it at once. */
  delay(ms: number, match: FaultMatch = {}): Dispose {
    return this.#add(match, ({ exchange, execute, send }) => {
      const early = match.when === 'before' ? undefined : execute();
      const finish = () => {
        clearTimeout(timer);
        send(early ?? execute());
      };
      const timer = setTimeout(finish, ms).unref();
      exchange.onEnd(() => clearTimeout(timer));
      return finish;
    });
  }

  /** Breaks the connection instead of an answer: the client sees ECONNRESET. */
  reset(match: FaultMatch = {}): Dispose {
    return this.#add(match, ({ exchange, execute }) => {
      if (match.when === 'after') execute();
      exchange.reset();
    });
  }

  /**
   * Answers this instead of what the registry would say.
   *
   * @param body text that goes out as it is, an error in the registry's form, or any other object
   */
  answer(
    status: number,
    body: string | FaultError | Readonly<Record<string, unknown>>,
    match: AnswerMatch = {},
  ): Dispose {
    const answer = asAnswer(status, body, match);
    return this.#add(match, ({ execute, send }) => {
      if (match.when === 'after') execute();
      send(answer);
    });
  }

  /**
   * Refuses connections, and closes those that are open. Resolves once it does; what it resolves to
   * ends it, and resolves once the same port listens again.
   */
  async refuse(): Promise<() => Promise<void>> {
    this.#isRefusing = true;
    await this.#door.close();
    return () => this.#listenAgain();
  }

  /** Ends all faults and resolves once the port listens again. */
  async clear(): Promise<void> {
    for (const fault of this.#faults) fault.release();
    this.#faults.clear();
    await this.#listenAgain();
  }

  /** @internal The fault that a request meets. */
  find(request: Matchable): Fault | undefined {
    return [...this.#faults].findLast(fault => fault.hits(request));
  }

  async #listenAgain(): Promise<void> {
    if (!this.#isRefusing) return;
    this.#isRefusing = false;
    await this.#door.open();
  }

  #add(match: FaultMatch, afflict: Affliction): Dispose {
    const fault = new Fault(match, afflict);
    this.#faults.add(fault);
    return () => {
      this.#faults.delete(fault);
      fault.release();
    };
  }
}

function asAnswer(
  status: number,
  body: string | FaultError | Readonly<Record<string, unknown>>,
  { contentType, headers = {} }: AnswerMatch,
): Answer {
  const given = contentType === undefined ? headers : { ...headers, 'Content-Type': contentType };
  if (typeof body !== 'string') {
    if (!isError(body)) return json(body, given, status);
    const error = inFull(body);
    return { ...json(error, given, status), error };
  }
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...given }, body };
}

function isError(body: FaultError | Readonly<Record<string, unknown>>): body is FaultError {
  return 'errorCode' in body;
}

function inFull({
  errorCode,
  errorMessage = messageOf(Number(errorCode)),
  ...rest
}: FaultError): ErrorBody {
  return { errorCode: String(errorCode), errorMessage, ...rest };
}
