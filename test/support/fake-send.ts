import { AddressBook } from '../../lib/protocol/address-book.js';
import {
  Channel,
  type Credentials,
  type HttpRequest,
  type Send,
} from '../../lib/protocol/channel.js';
import { ServiceCenterClient } from '../../lib/protocol/service-center.client.js';
import type { HttpReply } from '../../lib/protocol/wire.js';

/** An answer by its parts; `body` goes out as JSON unless it is text. */
export interface FakeReply {
  readonly status?: number;
  readonly headers?: HttpReply['headers'];
  readonly body?: unknown;
}

/** What becomes of a request: an answer, or a function that makes one, waits or throws. */
export type FakeAnswer = FakeReply | ((request: HttpRequest) => FakeReply | Promise<FakeReply>);

/** Makes a reply of its parts: 200 without a body unless they say otherwise. */
export function replyOf({ status = 200, headers = {}, body = '' }: FakeReply = {}): HttpReply {
  return { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** The port to HTTP without HTTP: keeps each request, and gives the answers in order, the last forever. */
export class FakeSend {
  readonly requests: HttpRequest[] = [];
  #answers: readonly FakeAnswer[];

  constructor(...answers: readonly FakeAnswer[]) {
    this.#answers = answers;
  }

  /** Gives these from now on. */
  answer(...answers: readonly FakeAnswer[]): void {
    this.#answers = answers;
  }

  readonly send: Send = async request => {
    this.requests.push(request);
    const [answer = {}, ...rest] = this.#answers;
    if (rest.length > 0) this.#answers = rest;
    return replyOf(typeof answer === 'function' ? await answer(request) : answer);
  };

  /** Each request in a line: `PUT http://…`. */
  get lines(): readonly string[] {
    return this.requests.map(({ method, url }) => `${method} ${url}`);
  }
}

/** How a client under test is set up. */
export interface ClientSettings {
  readonly addresses?: readonly [string, ...string[]];
  readonly project?: string;
  readonly domain?: string;
  readonly timeoutMs?: number;
  readonly credentials?: Credentials;
  /** Milliseconds of a monotonic clock. @default that of this process */
  readonly now?: () => number;
}

/** The channel that a client sends through. */
export function channelOf(send: Send, settings: ClientSettings = {}): Channel {
  const { addresses = ['http://a:1'], project = 'default', domain, timeoutMs = 5_000 } = settings;
  const { now = () => 0 } = settings;
  const clock = { now };
  const sent = { project, domain, timeoutMs, clock, maxAnswerBytes: 1_048_576 };
  return new Channel(send, new AddressBook(addresses), sent, settings.credentials);
}

/** A client of `http://a:1` unless other addresses are given, in project `default`. */
export function clientOf(send: Send, settings: ClientSettings = {}): ServiceCenterClient {
  return new ServiceCenterClient(channelOf(send, settings));
}

/** Fails as the HTTP library does: an error with a code. */
export function failing(code: string, name = 'AxiosError'): () => never {
  return () => {
    const cause = Object.assign(new Error(`failed with ${code}`), { code });
    throw Object.assign(new Error(cause.message, { cause }), { name, code });
  };
}
