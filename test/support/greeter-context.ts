import { NestFactory } from '@nestjs/core';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { type InstanceRegisteredEvent, RegistryModule } from '../../lib/index.js';
import { answeringAfter, greeterController, greeterOptions } from './greeter-app.js';
import { rootModule } from './test-app.js';

// A provider in a process of its own, to be killed: `node greeter-context.js REGISTRY`. It reports over IPC where it
// is called, and ends with its parent.

const [, , registry = ''] = process.argv;

/** The lease outlives the trials of callers. */
const heartbeat = { intervalMs: 15_000 };
const app = await NestFactory.create(
  rootModule(RegistryModule.forRoot(greeterOptions(registry, { heartbeat })), {
    controllers: [greeterController(answeringAfter(20))],
  }),
  { logger: false },
);
process.on('disconnect', () => process.exit());
app
  .get(EventEmitter2)
  .once('servicecomb.instance.registered', ({ instance }: InstanceRegisteredEvent) =>
    process.send?.(instance?.endpoints[0]),
  );
await app.listen(0, '127.0.0.1');
