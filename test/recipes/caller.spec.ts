// test/caller.spec.ts
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ScheduleModule } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { RegistryModule } from '../../lib/index.js';
import { CallerModule } from './caller.module.js';
import { GreeterClient } from './greeter.client.js';

let greeter: Server;
let app: INestApplication;

beforeEach(async () => {
  greeter = createServer((request, response) => response.end(`got ${request.url}`));
  await once(greeter.listen(0, '127.0.0.1'), 'listening');
});

afterEach(async () => {
  await app.close();
  greeter.close();
});

function testingModule() {
  const { port } = greeter.address() as AddressInfo;
  const endpoints = [`rest://127.0.0.1:${port}`];
  return Test.createTestingModule({
    imports: [
      ScheduleModule.forRoot(),
      EventEmitterModule.forRoot(),
      CallerModule,
      RegistryModule.forRoot({
        enabled: false,
        discovery: { providers: { greeter: { endpoints } } },
      }),
    ],
  });
}

async function answerOf(path: string): Promise<string> {
  await app.listen(0, '127.0.0.1');
  const answer = await fetch((await app.getUrl()) + path);
  return answer.text();
}

it('calls fixed endpoints', async () => {
  const module = await testingModule().compile();
  app = module.createNestApplication();
  expect(await answerOf('/call/Ada')).toBe('got /hello/Ada?polite=true');
});

it('has another client', async () => {
  const module = await testingModule()
    .overrideProvider(GreeterClient)
    .useValue({ hello: async () => 'hi' })
    .compile();
  app = module.createNestApplication();
  expect(await answerOf('/call/Ada')).toBe('hi');
});
