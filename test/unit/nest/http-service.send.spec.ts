import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { sendThrough } from '../../../lib/nest/http-service.send.js';

describe('a request', () => {
  it('leaves no listener on the signal of 3,000 requests', async () => {
    const http = new HttpService(
      axios.create({
        adapter: async config => ({ status: 200, statusText: '', headers: {}, data: '', config }),
      }),
    );
    const send = sendThrough(http, { closeIdle: () => undefined });
    const { signal } = new AbortController();
    const request = {
      method: 'PUT',
      headers: {},
      body: undefined,
      timeoutMs: 1_000,
      maxAnswerBytes: 1_048_576,
    } as const;
    for (let nth = 0; nth < 3_000; nth += 1) await send({ ...request, url: 'http://a:1', signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
