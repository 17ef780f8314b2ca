import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Clock } from '../clock.js';
import type { Call } from '../api/call.js';

/** Durations of bans and of their history. */
export interface BanTimes {
  /** Milliseconds of a ban. */
  readonly banMs: number;
  /** Milliseconds for which a failed login without a ban is listed. */
  readonly historyMs: number;
}

/** Failed logins of a name at an address. */
export interface AccountLock {
  readonly key: string;
  readonly status: 'attempted' | 'banned';
  /** Seconds since 1970. */
  readonly releaseAt: number;
}

interface Credit {
  readonly failures: number;
  readonly at: number;
}

/** Two failures are free, and one more every 15 min (server/service/rbac/blocker.go). */
const freeFailures = 2;
const refillMs = 15 * 60_000;

/** Number of entries from which expired ones are removed. */
const manyClients = 10_000;

/** Returns the key under which failures are counted. */
export function banKeyOf(name: string, address: string): string {
  return `${name}::${address}`;
}

/**
 * Counts failed logins by name and address, whether or not the account exists. A successful login
 * resets nothing, so after a ban of 15 min the second failure bans again.
 */
export class Bans {
  readonly #clock: Clock;
  readonly #times: BanTimes;
  readonly #locks = new Map<string, AccountLock>();
  readonly #credits = new Map<string, Credit>();
  #roomFor = manyClients;

  constructor(clock: Clock, times: BanTimes) {
    this.#clock = clock;
    this.#times = times;
  }

  isBanned(key: string): boolean {
    const lock = this.#locks.get(key);
    return lock?.status === 'banned' && !this.#isOver(lock);
  }

  /** Counts a failure, and bans if none is free. */
  fail(key: string): void {
    const isFree = this.#spend(key);
    const ms = isFree ? this.#times.historyMs : this.#times.banMs;
    const releaseAt = Math.floor((this.#clock.now() + ms) / 1000);
    this.#locks.set(key, { key, status: isFree ? 'attempted' : 'banned', releaseAt });
  }

  /** Returns current bans and failures by key. */
  list(): readonly AccountLock[] {
    this.#dropEnded();
    return [...this.#locks.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  #isOver({ releaseAt }: AccountLock): boolean {
    return releaseAt < Math.floor(this.#clock.now() / 1000);
  }

  #spend(key: string): boolean {
    if (this.#credits.size >= this.#roomFor) this.#forgetForgiven();
    const failures = this.#creditOf(this.#credits.get(key));
    if (failures < 1) return false;
    this.#credits.set(key, { failures: failures - 1, at: this.#clock.now() });
    return true;
  }

  /** Returns how many failures are free now. */
  #creditOf(credit: Credit | undefined): number {
    if (credit === undefined) return freeFailures;
    const refilled = credit.failures + (this.#clock.now() - credit.at) / refillMs;
    return Math.min(freeFailures, refilled);
  }

  /** Runs again when the number has doubled, so that its cost per failure is constant. */
  #forgetForgiven(): void {
    this.#dropEnded();
    for (const [key, credit] of this.#credits)
      if (this.#creditOf(credit) === freeFailures) this.#credits.delete(key);
    this.#roomFor = Math.max(manyClients, 2 * this.#credits.size);
  }

  #dropEnded(): void {
    for (const lock of this.#locks.values()) if (this.#isOver(lock)) this.#locks.delete(lock.key);
  }
}

/** Addresses that are not global (Go's net.IP.IsGlobalUnicast). */
const notGlobal = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 32],
  ['255.255.255.255', 32],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
] as const)
  notGlobal.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  notGlobal.addSubnet(network, prefix, 'ipv6');

/**
 * Returns the client's address: the first global one in `X-Forwarded-For`, otherwise in
 * `X-Real-IP`, otherwise that of the connection. The server trusts these headers from anyone
 * (pkg/util/net.go).
 */
export function clientAddress(call: Call): string {
  const forwarded = ['x-forwarded-for', 'x-real-ip']
    .flatMap(name => call.header(name).split(','))
    .map(address => address.trim())
    .find(isGlobal);
  return forwarded ?? call.remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '');
}

function isGlobal(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  return !notGlobal.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
