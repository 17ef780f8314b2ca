import type { StoredInstance } from '../protocol/wire.js';

/** An endpoint of an instance, such as `rest://10.0.0.7:3000?sslEnabled=true`. */
export interface Endpoint {
  /** As it is registered. */
  readonly text: string;
  /** In lower case. */
  readonly scheme: string;
  /** An IPv6 address is without brackets. */
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** Put before the path of each request; empty for none. */
  readonly prefix: string;
}

/** An instance at one endpoint, with what this process knows of it. Read it, and do not keep it. */
export interface Candidate {
  readonly instance: StoredInstance;
  readonly endpoint: Endpoint;
  /** `http://10.0.0.7:3000`, `https://[::1]:3000`, `grpc://…`, `tcp://…`; without the prefix. */
  readonly url: string;
  /** Calls of this process that are under way. */
  readonly pending: number;
  /** A decaying mean that follows peaks at once; undefined before the first answer. */
  readonly latencyMs: number | undefined;
}

/** The second argument of a picker. */
export interface PickTurn {
  /** Grows by one with each pick of a provider. */
  readonly turn: number;
  readonly key: string | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now: number;
  /** Returns a number from 0 to less than 1. */
  random(): number;
}

/** Chooses among the candidates. It must be quick, and must not change them. */
export type Picker = (
  candidates: readonly [Candidate, ...Candidate[]],
  turn: PickTurn,
) => Candidate;
