import { Background } from '../background/background.js';
import type { Clock } from '../background/clock.js';
import {
  isServiceCombError,
  type ServiceCombError,
  ServiceCenterResponseError,
  ServiceCenterTimeoutError,
} from '../errors.js';
import type { CallOptions } from '../protocol/channel.js';
import { ErrorCode } from '../protocol/error-codes.js';
import {
  mayBeCredentials,
  type OpenSocket,
  type Socket,
  type SocketEnd,
  watchError,
  type WatchRequest,
} from '../protocol/open-socket.js';
import { type FrameProvider, readWatchFrame } from '../protocol/watch-frame.js';

/** Deadline of a handshake, credentials included. */
const handshakeMs = 5_000;
/** The server never pings again once we have (docs/registry-behaviour.md, M14), so that we go on. */
const pingMs = 30_000;
/** The server closes after 120 s without a ping or pong (M14); we are earlier. */
const silenceMs = 90_000;
/** How long the answer to a ping may take when the process, or the machine, has stood still. */
const answerMs = 5_000;
/** The longest wait before the first attempt after a failure; it doubles with each further one. */
const firstWaitMs = 1_000;
const longestWaitMs = 30_000;
/** The longest wait at a registry that seems not to push, or that does not know the service that watches. */
const rareWaitMs = 600_000;
/** Failures in a row, without one success ever, after which the registry seems not to push. */
const failuresUntilSilent = 3;

/** The reports of a watcher. Called synchronously; must not throw. */
export interface WatcherEvents {
  /** Instances of this provider may have changed; of any of them, for `all`. */
  hint(provider: FrameProvider | 'all'): void;
  /** A connection is open. Nothing is known of what changed before. */
  opened(address: string): void;
  /** A connection that was open has ended. */
  lost(address: string, error: ServiceCombError, retryInMs: number): void;
  /** An attempt to open one has failed; `address` is undefined when it did not get that far. */
  failed(address: string | undefined, error: ServiceCombError, retryInMs: number): void;
  /** The registry seems not to push. Once at most. */
  silentRegistry(address: string | undefined, error: ServiceCombError, retryInMs: number): void;
  /** There is no WebSocket client in this installation: nothing is tried again. Once at most. */
  unavailable(error: unknown): void;
  /** Something is due sooner than the last tick said. */
  due(): void;
}

/** The collaborators of a watcher. */
export interface WatcherParts {
  readonly clock: Pick<Clock, 'now'>;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** Makes the handshake for a consumer, at another address than `beside` if there is one. */
  readonly request: (
    consumerId: string,
    options: CallOptions & { readonly beside: string | undefined },
  ) => Promise<WatchRequest>;
}

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'asking'; readonly until: number; readonly abort: AbortController }
  | {
      readonly kind: 'connecting';
      readonly until: number;
      readonly request: WatchRequest;
      readonly socket: Socket;
    }
  | {
      readonly kind: 'open';
      readonly openedAt: number;
      readonly heardAt: number;
      readonly pingedAt: number;
      /** When a ping must have been answered; Infinity unless the process has stood still. */
      readonly answerUntil: number;
      readonly request: WatchRequest;
      readonly socket: Socket;
    };

/**
 * Follows the changes of providers over one WebSocket to the registry, and opens it again whenever it ends.
 * Frames are hints: they get lost and come late, so nothing is read from them but whom to ask about.
 */
export class Watcher {
  #state: State = { kind: 'closed' };
  #consumerId: string | undefined;
  #isStopped = false;
  /** Failures since a connection lasted. */
  #failures = 0;
  #hasOpened = false;
  /** Whether credentials that may have been refused are worth renewing: once until a connection is open. */
  #mayRenew = true;
  #failedAddress: string | undefined;
  /** The result of the last tick. */
  #dueAt = Number.POSITIVE_INFINITY;
  readonly #background = new Background();

  constructor(
    private readonly open: OpenSocket,
    private readonly parts: WatcherParts,
    private readonly events: WatcherEvents,
  ) {}

  /** Whether changes are pushed now. */
  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  /**
   * Says for whom to watch: the serviceId of the consumer; undefined while there is nothing to watch. The next
   * tick starts. A service that was registered anew often has its old id: say undefined in between, or the
   * watcher may wait for minutes after the registry did not know it.
   */
  want(consumerId: string | undefined): void {
    if (consumerId === this.#consumerId || this.#isStopped) return;
    this.#consumerId = consumerId;
    this.#failures = 0;
    this.#mayRenew = true;
    const next: State =
      consumerId === undefined
        ? { kind: 'closed' }
        : { kind: 'waiting', until: this.parts.clock.now() };
    this.#leaveFor(next)?.close();
  }

  /**
   * Starts what is due, and returns when something is due next; Infinity for never.
   * @throws what the parts threw: a bug
   */
  tick(): number {
    this.#background.throwPending();
    const now = this.parts.clock.now();
    // Timers stood still, so that an answer may be waiting to be read.
    if (now > this.#dueAt + answerMs) this.#probe();
    this.#start(now);
    this.#dueAt = this.#nextDue();
    return this.#dueAt;
  }

  /** Pings at once, and expects an answer within 5 s: the process, or the machine, has stood still. */
  probe(): void {
    this.#probe();
    this.events.due();
  }

  #probe(): void {
    if (this.#state.kind !== 'open') return;
    const now = this.parts.clock.now();
    this.#state.socket.ping();
    this.#state = { ...this.#state, heardAt: now, pingedAt: now, answerUntil: now + answerMs };
  }

  /** Notes that an address was isolated: a connection to it ends. */
  isolated(address: string, error: ServiceCombError): void {
    const state = this.#state;
    if ('request' in state && state.request.address === address) this.#fail(error);
  }

  /** Closes the connection, and opens none again. */
  stop(): void {
    this.want(undefined);
    this.#isStopped = true;
  }

  #start(now: number): void {
    const state = this.#state;
    switch (state.kind) {
      case 'closed':
        return;
      case 'waiting':
        if (now >= state.until) this.#connect();
        return;
      case 'asking':
      case 'connecting':
        if (now >= state.until) this.#fail(timeout(state, handshakeMs));
        return;
      case 'open':
        if (now >= state.answerUntil) this.#fail(timeout(state, answerMs));
        else if (now >= state.heardAt + silenceMs) this.#fail(timeout(state, silenceMs));
        else if (now >= state.pingedAt + pingMs) {
          state.socket.ping();
          this.#state = { ...state, pingedAt: now };
        }
    }
  }

  #nextDue(): number {
    const state = this.#state;
    switch (state.kind) {
      case 'closed':
        return Number.POSITIVE_INFINITY;
      case 'waiting':
      case 'asking':
      case 'connecting':
        return state.until;
      case 'open':
        return Math.min(state.pingedAt + pingMs, state.heardAt + silenceMs, state.answerUntil);
    }
  }

  /** Gets a request, and opens the socket; both share one deadline. */
  #connect(): void {
    const until = this.parts.clock.now() + handshakeMs;
    const consumerId = this.#consumerId;
    if (consumerId === undefined) return;
    const abort = new AbortController();
    const asking: State = { kind: 'asking', until, abort };
    this.#state = asking;
    this.#background.start(async () => {
      const beside = this.#failedAddress;
      const options = { signal: abort.signal, timeoutMs: handshakeMs, beside };
      try {
        const request = await this.parts.request(consumerId, options);
        if (this.#state === asking) this.#openSocket(request, until);
      } catch (error) {
        if (this.#state !== asking) return;
        if (!isServiceCombError(error)) throw error;
        this.#fail(error);
      }
    });
  }

  #openSocket(request: WatchRequest, until: number): void {
    const isOurs = () => 'socket' in this.#state && this.#state.socket === socket;
    const socket = this.open(request, {
      opened: () => void (isOurs() && this.#opened()),
      received: text => void (isOurs() && this.#received(text)),
      heard: () => void (isOurs() && this.#heard()),
      ended: end => {
        // An error here is a bug, which the next tick throws rather than the socket.
        if (isOurs()) this.#background.start(async () => this.#ended(end));
      },
    });
    this.#state = { kind: 'connecting', until, request, socket };
  }

  #opened(): void {
    if (this.#state.kind !== 'connecting') return;
    const { request, socket } = this.#state;
    const openedAt = this.parts.clock.now();
    const times = { openedAt, heardAt: openedAt, pingedAt: openedAt };
    this.#state = {
      kind: 'open',
      ...times,
      answerUntil: Number.POSITIVE_INFINITY,
      request,
      socket,
    };
    this.#hasOpened = true;
    this.#mayRenew = true;
    request.accepted();
    this.events.opened(request.address);
    this.events.due();
  }

  #heard(): void {
    if (this.#state.kind !== 'open') return;
    const heardAt = this.parts.clock.now();
    this.#state = { ...this.#state, heardAt, answerUntil: Number.POSITIVE_INFINITY };
  }

  #received(text: string): void {
    this.#heard();
    const frame = readWatchFrame(text);
    if (frame === 'consumer-gone') return this.#consumerGone(text);
    this.events.hint(frame === 'unreadable' ? 'all' : frame.provider);
  }

  /** Another attempt soon would end alike, unless a new one is wanted when the service is registered again. */
  #consumerGone(text: string): void {
    const { address } = requestIn(this.#state) ?? {};
    if (address === undefined) return;
    const refusal = { status: 101, errorCode: ErrorCode.ServiceNotExists, detail: text.trim() };
    this.#fail(new ServiceCenterResponseError('watch', address, refusal), rareWaitMs);
    this.events.hint('all');
  }

  #ended(end: SocketEnd): void {
    const request = requestIn(this.#state);
    if (request === undefined) return;
    if (end.kind === 'unavailable') {
      this.stop();
      this.events.unavailable(end.error);
    } else if (this.#mayRenew && mayBeCredentials(end) && request.refused()) {
      this.#mayRenew = false;
      this.#connect();
      this.events.due();
    } else this.#fail(watchError(end, request.address, handshakeMs));
  }

  /** Gives a connection or an attempt up, and waits; the longer, the more have failed. */
  #fail(error: ServiceCombError, longestMs?: number): void {
    const state = this.#state;
    const now = this.parts.clock.now();
    const hasLasted = state.kind === 'open' && now - state.openedAt >= pingMs;
    const failures = hasLasted ? 1 : this.#failures + 1;
    this.#failures = failures;
    const isSilent = !this.#hasOpened && failures >= failuresUntilSilent;
    const growingMs = Math.min(longestWaitMs, firstWaitMs * 2 ** (failures - 1));
    const retryInMs = Math.round(
      this.parts.random() * (longestMs ?? (isSilent ? rareWaitMs : growingMs)),
    );
    const address = requestIn(state)?.address;
    this.#failedAddress = address;
    this.#leaveFor({ kind: 'waiting', until: now + retryInMs })?.terminate();
    if (state.kind === 'open') this.events.lost(state.request.address, error, retryInMs);
    else this.events.failed(address, error, retryInMs);
    if (isSilent && failures === failuresUntilSilent)
      this.events.silentRegistry(address, error, retryInMs);
    this.events.due();
  }

  /** Ends a state, and returns the socket that is to be freed: its events are ignored from now on. */
  #leaveFor(next: State): Socket | undefined {
    const state = this.#state;
    this.#state = next;
    if (state.kind === 'asking') state.abort.abort();
    return 'socket' in state ? state.socket : undefined;
  }
}

function requestIn(state: State): WatchRequest | undefined {
  return 'request' in state ? state.request : undefined;
}

function timeout(state: State, timeoutMs: number): ServiceCombError {
  const address = requestIn(state)?.address ?? 'its address';
  return new ServiceCenterTimeoutError('watch', address, timeoutMs);
}
