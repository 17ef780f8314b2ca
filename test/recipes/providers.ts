import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadPackageDefinition, Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Controller } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Payload,
  Transport,
} from '@nestjs/microservices';
import type { InstanceRef, Microservice, ServiceCenterClient } from '../../lib/index.js';
import type { Cleanup } from '../support/test-app.js';

/** A provider that a test calls. */
export interface Provider {
  readonly endpoint: string;
  stop(): Promise<unknown>;
}

/** Registers an instance. The lease lasts for longer than a test. */
export async function publish(
  client: ServiceCenterClient,
  serviceName: string,
  { endpoint }: Provider,
  service: Partial<Microservice> = {},
): Promise<InstanceRef> {
  const key = { appId: 'default', serviceName, version: '1.0.0' };
  const serviceId = await client.registerMicroservice({ ...key, ...service });
  const instance = { hostName: 'localhost', endpoints: [endpoint] };
  return { serviceId, instanceId: await client.registerInstance(serviceId, instance) };
}

export async function httpProvider(cleanup: Cleanup, listener: RequestListener): Promise<Provider> {
  const server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  };
  cleanup.add(stop);
  return { endpoint: `rest://127.0.0.1:${port}`, stop };
}

/** A Nest microservice that adds numbers up, and keeps the notes that it is sent. */
export async function tcpProvider(
  cleanup: Cleanup,
  name: string,
  notes: string[],
): Promise<Provider> {
  @Controller()
  class SumsController {
    @MessagePattern('sum') sum(@Payload() numbers: readonly number[]): string {
      return `${name}: ${numbers.reduce((sum, number) => sum + number, 0)}`;
    }
    @EventPattern('note') note(@Payload() note: string): void {
      notes.push(note);
    }
  }
  class SumsServer {}
  Reflect.defineMetadata('controllers', [SumsController], SumsServer);
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(SumsServer, {
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: 0 },
    logger: false,
  });
  await app.listen();
  const { port } = app.unwrap<{ address(): AddressInfo }>().address();
  cleanup.add(() => app.close());
  return { endpoint: `tcp://127.0.0.1:${port}`, stop: () => app.close() };
}

export async function grpcProvider(cleanup: Cleanup, name: string): Promise<Provider> {
  const server = new Server();
  const definition = loadPackageDefinition(loadSync('test/recipes/hero.proto'));
  const heroes: unknown = Reflect.get(Object(definition['hero']), 'Heroes');
  server.addService(Reflect.get(Object(heroes), 'service'), {
    FindOne: (
      { request }: { request: { id: number } },
      callback: (error: null, hero: object) => void,
    ) => callback(null, { id: request.id, foundBy: name }),
  });
  const credentials = ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
  const stop = async () => server.forceShutdown();
  cleanup.add(stop);
  return { endpoint: `grpc://127.0.0.1:${port}`, stop };
}
