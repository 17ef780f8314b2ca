import { NestFactory } from '@nestjs/core';
import { Registration, RegistryModule } from '../../lib/index.js';
import { optionsFor, rootModule } from './test-app.js';

// A process without a server: `node leaving-context.js URL [close]`. Nothing but the registration could
// keep it alive; it prints what it has come to.

const [, , url = '', close] = process.argv;
const options = optionsFor(url, {
  instance: { endpoints: ['highway://10.0.0.1:7070'] },
  shutdown: { drainMs: 200 },
});
const app = await NestFactory.createApplicationContext(
  rootModule(RegistryModule.forRoot(options)),
  { logger: false },
);
await app.get(Registration).register();
console.log('registered');
if (close === 'close') {
  await app.close();
  console.log('closed');
}
