import 'reflect-metadata';
import { HttpService } from '@nestjs/axios';
import { Controller, Get, Inject } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RegistryModule } from '../../lib/index.js';
import { ForwardingClientsModule, TenantClient } from '../recipes/forwarding-clients.module.js';
import { ForwardingModule } from '../recipes/forwarding.module.js';
import { httpProvider } from '../recipes/providers.js';
import { Cleanup, rootModule } from './test-app.js';

// A process that calls a provider for a request, and once for none: `node forwarding-context.js`. It prints the
// headers that the provider got. Jest cannot import nestjs-cls on Node 20.

@Controller()
class ForwardingController {
  constructor(
    @Inject(HttpService) private readonly http: HttpService,
    @Inject(TenantClient) private readonly tenant: TenantClient,
  ) {}

  @Get('forwarded') async forwarded(): Promise<object> {
    return (await this.http.axiosRef.get<object>('http://greeter/')).data;
  }

  @Get('by-client') byClient(): Promise<unknown> {
    return this.tenant.name();
  }
}

const cleanup = new Cleanup();
const { endpoint } = await httpProvider(cleanup, ({ headers }, response) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(headers));
});
const providers = { greeter: { endpoints: [endpoint] } };
const root = rootModule(RegistryModule.forRoot({ enabled: false, discovery: { providers } }), {
  imports: [ForwardingModule, ForwardingClientsModule],
  controllers: [ForwardingController],
});
const app = await NestFactory.create(root, { logger: false });
cleanup.add(() => app.close());
await app.listen(0, '127.0.0.1');

const headers = { 'x-tenant': 'acme', traceparent: '00-1-2-01', 'x-other': 'secret' };
const url = await app.getUrl();
const ask = async (path: string): Promise<unknown> => (await fetch(url + path, { headers })).json();
const http = app.get(HttpService, { strict: false });
const { data } = await http.axiosRef.get<object>('http://greeter/');
const printed = {
  byName: await ask('/forwarded'),
  byClient: await ask('/by-client'),
  forNone: data,
};
console.log(JSON.stringify(printed));
await cleanup.run();
