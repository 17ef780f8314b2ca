import 'reflect-metadata';
import { HttpService } from '@nestjs/axios';
import { Controller, Get, Inject } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RegistryModule } from '../../lib/index.js';
import { ForwardingModule } from '../recipes/forwarding.module.js';
import { httpProvider } from '../recipes/providers.js';
import { Cleanup, rootModule } from './test-app.js';

// A process that calls a provider for a request, and once for none: `node forwarding-context.js`. It prints the
// headers that the provider got. Jest cannot import nestjs-cls on Node 20.

@Controller()
class ForwardingController {
  constructor(@Inject(HttpService) private readonly http: HttpService) {}

  @Get('forwarded') async forwarded(): Promise<object> {
    return (await this.http.axiosRef.get<object>('http://echo/')).data;
  }
}

const cleanup = new Cleanup();
const { endpoint } = await httpProvider(cleanup, ({ headers }, response) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(headers));
});
const providers = { echo: { endpoints: [endpoint] } };
const root = rootModule(RegistryModule.forRoot({ enabled: false, discovery: { providers } }), {
  imports: [ForwardingModule],
  controllers: [ForwardingController],
});
const app = await NestFactory.create(root, { logger: false });
cleanup.add(() => app.close());
await app.listen(0, '127.0.0.1');

const headers = { 'x-tenant': 'acme', traceparent: '00-1-2-01', 'x-other': 'secret' };
const answer = await fetch(`${await app.getUrl()}/forwarded`, { headers });
const http = app.get(HttpService, { strict: false });
const { data } = await http.axiosRef.get<object>('http://echo/');
console.log(JSON.stringify({ forRequest: await answer.json(), forNone: data }));
await cleanup.run();
