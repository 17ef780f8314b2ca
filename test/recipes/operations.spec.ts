import { afterEach, expect, it } from '@jest/globals';
import { Cleanup, createApp } from '../support/test-app.js';
import { OperationsModule } from './operations.module.js';

const cleanup = new Cleanup();
afterEach(async () => {
  delete process.env['OPERATOR_TOKEN'];
  await cleanup.run();
});

it('lets in operators with the token, and nobody while there is none', async () => {
  const { app } = await createApp(cleanup, { enabled: false }, { imports: [OperationsModule] });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/ops/registry`;
  const statusWith = async (authorization?: string) => {
    const reply = await fetch(
      url,
      authorization === undefined ? {} : { headers: { authorization } },
    );
    return reply.status;
  };
  expect(await statusWith('Bearer ')).toBe(403);
  process.env['OPERATOR_TOKEN'] = 'correct horse';
  expect(await statusWith('Bearer correct horse')).toBe(200);
  expect(await statusWith('Bearer correct')).toBe(403);
  expect(await statusWith()).toBe(403);
});
