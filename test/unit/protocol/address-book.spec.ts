import { describe, expect, it } from '@jest/globals';
import { AddressBook } from '../../../lib/protocol/address-book.js';

describe('the address book', () => {
  it('begins with the first address and moves on when it fails, round and round', () => {
    const book = new AddressBook(['a', 'b', 'c']);
    const used = ['a', 'b', 'c', 'a'];
    for (const address of used) {
      expect(book.current).toBe(address);
      book.failed(address);
    }
    expect(book.current).toBe('b');
  });

  it('stays where it is when an address that is not in use fails', () => {
    for (const other of ['b', 'c', 'unknown']) {
      const book = new AddressBook(['c', 'a', 'b']);
      book.failed('c');
      book.failed(other);
      expect(book.current).toBe('a');
    }
  });

  it('stays with the only address there is', () => {
    const book = new AddressBook(['a']);
    book.failed('a');
    expect(book.current).toBe('a');
  });
});
