import { describe, expect, it } from '@jest/globals';
import { ServiceCenterUnreachableError } from '../../../lib/errors.js';
import { AddressBook, learnedAddresses } from '../../../lib/protocol/address-book.js';

const error = new ServiceCenterUnreachableError('heartbeat', ['a'], 'ECONNREFUSED');

function fail(book: AddressBook, address: string, times = 1): void {
  for (let time = 0; time < times; time += 1) book.failed(address, error);
}

/** A book and what it tells, as `isolated a`. */
function bookOf(...addresses: readonly [string, ...string[]]) {
  const book = new AddressBook(addresses);
  const told: string[] = [];
  const stop = book.onChange(({ kind, address }) => told.push(`${kind} ${address}`));
  return { book, told, stop };
}

describe('the address book', () => {
  it('begins with the first address and moves on when it fails, round and round', () => {
    const { book } = bookOf('a', 'b', 'c');
    const used = ['a', 'b', 'c', 'a'];
    for (const address of used) {
      expect(book.current).toBe(address);
      fail(book, address);
    }
    expect(book.current).toBe('b');
  });

  it('shows every address, and which of them serve', () => {
    const { book } = bookOf('http://a', 'http://b');
    book.learn(['http://c', 'http://b']);
    fail(book, 'http://a', 3);
    expect(book.all).toEqual([
      { address: 'http://c', isServing: false },
      { address: 'http://b', isServing: true },
      { address: 'http://a', isServing: false },
    ]);
    book.answered('http://c');
    expect(book.all[0]).toEqual({ address: 'http://c', isServing: true });
  });

  it('stays where it is when an address that is not in use fails', () => {
    for (const other of ['b', 'c', 'unknown']) {
      const { book } = bookOf('c', 'a', 'b');
      fail(book, 'c');
      fail(book, other);
      expect(book.current).toBe('a');
    }
  });

  it('moves on to an address that has not failed since its last answer, if there is one', () => {
    const { book } = bookOf('a', 'b', 'c');
    fail(book, 'b');
    fail(book, 'a');
    expect(book.current).toBe('c');
    book.answered('b');
    fail(book, 'c');
    expect(book.current).toBe('b');
  });

  it('takes turns once nodes are known to have a store each', () => {
    const { book } = bookOf('a', 'b');
    book.takeTurns();
    expect(book.current).toBe('a');
    book.noteSplit(true);
    const used = [book.current];
    for (let time = 0; time < 2; time += 1) {
      book.takeTurns();
      used.push(book.current);
    }
    expect(used).toEqual(['b', 'a', 'b']);
  });

  it('stays with the only address there is', () => {
    const { book } = bookOf('a');
    fail(book, 'a', 5);
    expect(book.current).toBe('a');
    expect(book.hasAnother).toBe(false);
  });

  it('moves on from an address that is left, and counts no failure', () => {
    const { book, told } = bookOf('a', 'b');
    for (const address of ['a', 'b', 'a', 'b', 'a', 'b']) book.leave(address);
    expect(book.current).toBe('a');
    expect(told).toEqual([]);
  });
});

describe('isolation', () => {
  it('comes with the third failure in a row, and is told once, with the error', () => {
    const { book, told } = bookOf('a', 'b');
    const errors: unknown[] = [];
    book.onChange(change => errors.push(change.kind === 'isolated' && change.error));
    fail(book, 'a', 2);
    expect(told).toEqual([]);
    fail(book, 'a', 3);
    expect(told).toEqual(['isolated a']);
    expect(errors).toEqual([error]);
    expect(book.isolated).toEqual(['a']);
  });

  it('says whether another address is left, which a single one has not', () => {
    const isLastOf = (...addresses: readonly [string, ...string[]]) => {
      const { book } = bookOf(...addresses);
      const isLast: unknown[] = [];
      book.onChange(change => isLast.push(change.kind === 'isolated' && change.isLast));
      for (const address of addresses) fail(book, address, 3);
      return isLast;
    };
    expect(isLastOf('a')).toEqual([true]);
    expect(isLastOf('a', 'b')).toEqual([false, true]);
  });

  it('does not come while an answer lies between the failures', () => {
    const { book, told } = bookOf('a', 'b');
    fail(book, 'a', 2);
    book.answered('a');
    fail(book, 'a', 2);
    expect(told).toEqual([]);
  });

  it('keeps requests away as long as another address is left', () => {
    const { book } = bookOf('a', 'b', 'c');
    fail(book, 'b', 3);
    fail(book, 'a');
    expect(book.current).toBe('c');
    fail(book, 'c');
    expect(book.current).toBe('a');
    fail(book, 'a');
    fail(book, 'c', 2);
    expect(book.isolated).toEqual(['b', 'c']);
    expect(book.hasAnother).toBe(false);
    expect(book.current).toBe('a');
  });

  it('of all addresses leaves all of them in turn', () => {
    const { book } = bookOf('a', 'b');
    fail(book, 'a', 3);
    fail(book, 'b', 3);
    expect(book.hasAnother).toBe(true);
    expect(book.current).toBe('a');
    fail(book, 'a');
    expect(book.current).toBe('b');
  });

  it('ends with any answer, which is told', () => {
    const { book, told } = bookOf('a', 'b');
    fail(book, 'a', 3);
    book.answered('a');
    expect(book.isolated).toEqual([]);
    expect(told).toEqual(['isolated a', 'restored a']);
  });

  it('ends with a probe that is answered while another address serves', () => {
    const { book, told } = bookOf('a', 'b');
    fail(book, 'a', 3);
    book.probeAnswered('a');
    expect(told).toEqual(['isolated a', 'restored a']);
    expect(book.current).toBe('b');
  });

  it('begins again with the next failure after a probe, and after three once a request was answered', () => {
    const { book, told } = bookOf('a', 'b');
    fail(book, 'a', 3);
    book.probeAnswered('a');
    fail(book, 'a', 1);
    expect(told).toEqual(['isolated a', 'restored a', 'isolated a']);
    book.probeAnswered('a');
    book.answered('a');
    fail(book, 'a', 2);
    expect(told.at(-1)).toBe('restored a');
  });

  it('of the last one outlives a probe: only its answer to a request counts', () => {
    const { book, told } = bookOf('a', 'b');
    fail(book, 'a', 3);
    fail(book, 'b', 3);
    book.probeAnswered('b');
    expect(told).toEqual(['isolated a', 'isolated b']);
    expect(book.current).toBe('b');
    book.answered('b');
    expect(told.at(-1)).toBe('restored b');
  });

  it('is not told any more to one who has stopped listening', () => {
    const { book, told, stop } = bookOf('a');
    stop();
    fail(book, 'a', 3);
    expect(told).toEqual([]);
  });
});

const own = { name: 'dc', region: 'r1', availableZone: 'z1' };
const node = (endpoint: string, dataCenterInfo?: typeof own) => ({
  hostName: 'h',
  endpoints: [endpoint],
  dataCenterInfo,
});

describe('the addresses of the registry’s nodes', () => {
  it.each([
    ['rest://10.0.0.1:30100/', ['http://10.0.0.1:30100']],
    ['rest://10.0.0.1:30100', ['http://10.0.0.1:30100']],
    ['rest://sc.local:30100/?sslEnabled=true', ['https://sc.local:30100']],
    ['rest://sc.local:30100?sslEnabled=false', ['http://sc.local:30100']],
    ['rest://[::1]:30100/', ['http://[::1]:30100']],
    ['grpc://10.0.0.1:30100', []],
    ['rest://10.0.0.1', []],
    ['rest://user:secret@10.0.0.1:30100', []],
    ['rest://10.0.0.1:999999', []],
    ['http://10.0.0.1:30100', []],
    ['', []],
  ])('of %j are %j', (endpoint, addresses) => {
    expect(learnedAddresses([node(endpoint)], undefined)).toEqual(addresses);
  });

  it('are in the same zone first, then in the same region', () => {
    const nodes = [
      node('rest://far:1', { ...own, region: 'r2' }),
      node('rest://unknown:1'),
      node('rest://region:1', { ...own, availableZone: 'z2' }),
      node('rest://zone:1', own),
    ];
    expect(learnedAddresses(nodes, own)).toEqual([
      'http://zone:1',
      'http://region:1',
      'http://far:1',
      'http://unknown:1',
    ]);
    expect(learnedAddresses(nodes, undefined)[0]).toBe('http://far:1');
  });

  it('are each there once, and none of a node that is not up', () => {
    const down = { ...node('rest://down:1'), status: 'DOWN' as const };
    const twice = [node('rest://a:1'), node('rest://a:1/'), down, { hostName: 'h' }];
    expect(learnedAddresses(twice, own)).toEqual(['http://a:1']);
  });
});
