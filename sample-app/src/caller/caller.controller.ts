import { Controller, Get, Inject, Query, UseFilters } from '@nestjs/common';
import { type CalledGreeting, GreeterClient, type KnownGreeter } from './greeter.client.js';
import { UnavailableFilter } from './unavailable.filter.js';

@Controller()
@UseFilters(UnavailableFilter)
export class CallerController {
  constructor(@Inject(GreeterClient) private readonly greeter: GreeterClient) {}

  @Get()
  index(): object {
    return { service: 'caller', try: ['/hello?name=Ada', '/instances', '/health'] };
  }

  @Get('hello')
  hello(@Query('name') name = 'world'): Promise<CalledGreeting> {
    return this.greeter.hello(name);
  }

  @Get('instances')
  instances(): Promise<readonly KnownGreeter[]> {
    return this.greeter.instances();
  }
}
