import { expect, it } from '@jest/globals';
import { Backlog } from '../../../lib/server/backlog.js';

const mebibyte = 1024 * 1024;

class TestReader {
  isOpen = true;

  constructor(public waitingBytes: number) {}

  close(): void {
    this.isOpen = false;
  }
}

it('a client that has left little unread is never closed', () => {
  const backlog = new Backlog<TestReader>();
  const clients = Array.from({ length: 5000 }, () => new TestReader(60 * 1024));
  for (const client of clients) backlog.check(client);
  expect(clients.filter(({ isOpen }) => !isOpen)).toEqual([]);
});

it('beyond 64 MiB in all those that have been behind for longest are closed', () => {
  const backlog = new Backlog<TestReader>();
  const clients = [40, 1, 20, 3].map(waiting => new TestReader(waiting * mebibyte));
  for (const client of clients) backlog.check(client);
  expect(clients.map(({ isOpen }) => isOpen)).toEqual([true, true, true, true]);
  backlog.check(new TestReader(2 * mebibyte));
  expect(clients.map(({ isOpen }) => isOpen)).toEqual([false, true, true, true]);
});

it('a client that has caught up is behind for longest no more', () => {
  const backlog = new Backlog<TestReader>();
  const [first, second] = [new TestReader(30 * mebibyte), new TestReader(30 * mebibyte)];
  backlog.check(first);
  backlog.check(second);
  first.waitingBytes = 0;
  backlog.check(first);
  first.waitingBytes = 30 * mebibyte;
  backlog.check(first);
  backlog.check(new TestReader(10 * mebibyte));
  expect([first.isOpen, second.isOpen]).toEqual([true, false]);
});

it('a client that has gone counts no more', () => {
  const backlog = new Backlog<TestReader>();
  const [first, second] = [new TestReader(60 * mebibyte), new TestReader(60 * mebibyte)];
  backlog.check(first);
  backlog.forget(first);
  backlog.check(second);
  expect(second.isOpen).toBe(true);
});
