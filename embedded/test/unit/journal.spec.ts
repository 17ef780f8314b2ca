import { describe, expect, it } from '@jest/globals';
import { Journal } from '../../lib/server/journal.js';

const request = { operation: undefined, method: 'GET', path: '/', headers: {}, body: '' };

describe('the journal', () => {
  it('keeps the last 10,000 requests, oldest first', () => {
    const journal = new Journal();
    for (let at = 0; at < 20_500; at += 1) journal.add({ at, ...request });
    expect(journal.requests).toHaveLength(10_000);
    expect([journal.requests[0]?.at, journal.requests.at(-1)?.at]).toEqual([10_500, 20_499]);
  });

  it('has the status of an answer once it is sent', () => {
    const journal = new Journal();
    const note = journal.add({ at: 0, ...request });
    expect(journal.requests).toEqual([{ at: 0, ...request, status: undefined }]);
    note(404);
    expect(journal.requests).toEqual([{ at: 0, ...request, status: 404 }]);
  });
});
