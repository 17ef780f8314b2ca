import { NestFactory } from '@nestjs/core';
import { Registration, RegistryModule } from '../../lib/index.js';
import { rootModule } from './test-app.js';

// A process that finds the registry, and what it is there, in its environment alone. It prints its state
// once it is registered, and leaves when its input ends.

const app = await NestFactory.createApplicationContext(
  rootModule(RegistryModule.forRoot({ instance: { endpoints: ['highway://10.0.0.1:7070'] } })),
  { logger: false },
);
const registration = app.get(Registration);
await registration.register();
console.log(registration.state);
for await (const _ of process.stdin);
await app.close();
