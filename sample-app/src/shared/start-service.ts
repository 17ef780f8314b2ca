import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { RegistryEvents } from 'nestjs-servicecomb';
import { anotherPort, portOr, variable } from './environment.js';
import { tell } from './progress.js';

/** Starts a service, on 127.0.0.1 unless HOST says otherwise. One that cannot start says why in one sentence and ends with 1. */
export async function startService(
  name: string,
  { module, defaultPort }: { readonly module: Type; readonly defaultPort: number },
): Promise<void> {
  try {
    const app = await createApp(module);
    const attempted = firstAttempt(app.get(EventEmitter2));
    await app.listen(portOr(defaultPort), variable('HOST') ?? '127.0.0.1');
    app.useLogger(['warn', 'error']);
    app.flushLogs();
    leaveWithParent();
    await attempted;
    tell({ ready: await app.getUrl() });
  } catch (error) {
    process.exitCode = 1;
    tell({ failed: `The ${name} cannot start: ${reasonOf(error, name)}` });
  }
}

async function createApp(module: Type): Promise<INestApplication> {
  const app = await NestFactory.create(module, {
    // Nest would print the stack of an error that is about to be told in one sentence: its lines
    // are held back until the service listens.
    bufferLogs: true,
    autoFlushLogs: false,
    abortOnError: false,
  });
  // Without these, a Ctrl-C would leave the instance in the registry until its lease ends. With
  // useProcessExit the process ends with 0 after it has left, rather than by the signal.
  return app.enableShutdownHooks([], { useProcessExit: true });
}

/** Resolves when the instance is in the registry: from then on, others find it. Or when that failed. */
function firstAttempt(events: EventEmitter2): Promise<void> {
  const { InstanceRegistered, RegistrationFailed, RegistrationBlocked } = RegistryEvents;
  return new Promise(resolve => {
    for (const name of [InstanceRegistered, RegistrationFailed, RegistrationBlocked])
      events.once(name, () => resolve());
  });
}

/** Leaves the registry as well when `npm start` is killed and can tell nobody. */
function leaveWithParent(): void {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

function reasonOf(error: unknown, name: string): string {
  if (!(error instanceof Error)) return String(error);
  if (!isPortTaken(error)) return error.message;
  const port = anotherPort(error.port);
  // `npm start` runs both services, so that each has a variable of its own there.
  const command =
    process.send === undefined
      ? `PORT=${port} npm run start:${name}`
      : `${name.toUpperCase()}_PORT=${port} npm start`;
  const remedy = `free it, or choose another, as in: ${command}`;
  return `port ${error.port} of 127.0.0.1 is taken; ${remedy}`;
}

function isPortTaken(error: Error): error is Error & { readonly port: number } {
  return 'code' in error && error.code === 'EADDRINUSE' && 'port' in error;
}
