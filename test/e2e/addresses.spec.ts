import { describe, expect } from '@jest/globals';
import { concurrently } from '../support/concurrently.js';
import { optionsFor, startApp, startRegistry } from '../support/test-app.js';

describe('serviceCenter.learnAddresses', () => {
  concurrently('asks the registry for its nodes, and probes them', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { port } = new URL(registry.url);
    const url = `http://localhost:${port}`;
    const options = optionsFor(url, { serviceCenter: { learnAddresses: true } });
    const learned = new Promise<string>(resolve => {
      registry.onRequest(({ operation, headers }) => {
        if (operation === 'getVersion') resolve(headers.host ?? '');
      });
    });
    await startApp(cleanup, options);
    expect(await learned).toBe(`127.0.0.1:${port}`);
  });
});
