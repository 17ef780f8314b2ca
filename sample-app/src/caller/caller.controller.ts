import { Controller, Get, Inject, Query } from '@nestjs/common';
import { type CalledGreeting, GreeterClient } from './greeter.client.js';

@Controller()
export class CallerController {
  constructor(@Inject(GreeterClient) private readonly greeter: GreeterClient) {}

  @Get()
  index(): object {
    return { service: 'caller', try: ['/hello?name=Ada', '/health'] };
  }

  @Get('hello')
  hello(@Query('name') name = 'world'): Promise<CalledGreeting> {
    return this.greeter.hello(name);
  }
}
