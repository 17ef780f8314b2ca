import { EventEmitter2 } from '@nestjs/event-emitter';
import { type InstanceStatus, Registration, RegistryModule } from '../../lib/index.js';
import { NestFactory } from '@nestjs/core';
import { optionsFor, rootModule } from '../support/test-app.js';
import type { Command, Report } from './process.js';

// An application of the soak, a process of its own: `node application.js INSTANCE_ID PASSWORD ADDRESS…`.
// It is told over IPC what to call, and reports there what it comes to.

const [, , instanceId = '', password = '', ...addresses] = process.argv;

const report = (message: Report): void => {
  process.send?.(message, undefined, undefined, () => undefined);
};

const options = optionsFor(addresses[0] ?? '', {
  serviceCenter: {
    addresses,
    timeoutMs: 1_000,
    auth: { username: 'root', password },
  },
  microservice: { serviceName: 'orders', version: '1.0.0' },
  instance: { instanceId },
  heartbeat: { intervalMs: 1_000, times: 7 },
  registration: { retry: undefined },
});
const app = await NestFactory.create(rootModule(RegistryModule.forRoot(options)), {
  logger: false,
});
app.enableShutdownHooks();
const registration = app.get(Registration);
registration.state$.subscribe(state => report({ kind: 'state', state }));
app.get(EventEmitter2).onAny((name, payload: unknown) => {
  const said = JSON.stringify(payload, (key, value: unknown) =>
    value instanceof Error ? value.message : key === 'instance' ? undefined : value,
  );
  report({ kind: 'event', name: String(name), said });
});
process.on('message', (command: Command) => void obey(command));
process.on('disconnect', () => process.exit());
await app.listen(0, '127.0.0.1');

async function obey({ id, call, value = '' }: Command): Promise<void> {
  try {
    if (call === 'leave') await registration.leave();
    else if (call === 'register') await registration.register();
    else if (call === 'status') await registration.setStatus(value as InstanceStatus);
    else await registration.setProperties({ write: value });
    report({ kind: 'done', id, error: undefined });
  } catch (error) {
    report({ kind: 'done', id, error: String(error) });
  }
}
