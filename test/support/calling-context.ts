import { NestFactory } from '@nestjs/core';
import { Discovery, Registration, RegistryModule } from '../../lib/index.js';
import { optionsFor, rootModule } from './test-app.js';

// A process that is closed while it watches, polls and has 50 calls under way: `node calling-context.js URL`.

const [, , url = ''] = process.argv;
const options = optionsFor(url, {
  instance: { endpoints: ['highway://10.0.0.1:7070'] },
  discovery: { pollIntervalMs: 1_000 },
});
const app = await NestFactory.createApplicationContext(
  rootModule(RegistryModule.forRoot(options)),
  { logger: false },
);
await app.get(Registration).register();
const discovery = app.get(Discovery);
await discovery.find('greeter');
while (!discovery.snapshot().watching) await new Promise(resolve => setTimeout(resolve, 10));
const calls = Array.from({ length: 50 }, () =>
  discovery.call('greeter', async ({ url: to }) => (await fetch(to)).text()),
);
await app.close();
console.log('closed');
console.log(`${(await Promise.all(calls)).length} calls ended`);
