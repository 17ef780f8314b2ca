import { Controller, Get, Inject, Query } from '@nestjs/common';
import { Registration } from 'nestjs-servicecomb';
import type { Greeting } from '../shared/greeting.js';

@Controller()
export class GreeterController {
  constructor(@Inject(Registration) private readonly registration: Registration) {}

  @Get()
  index(): object {
    return { service: 'greeter', try: ['/hello?name=Ada', '/health'] };
  }

  @Get('hello')
  hello(@Query('name') name = 'world'): Greeting {
    return { message: `Hello, ${name}!`, from: this.registration.snapshot().instanceId };
  }
}
