// src/greeter.client.ts
import { Get, Param, Query } from '@nestjs/common';
import { remote, ServiceClient } from '../../lib/index.js';

@ServiceClient('greeter')
export class GreeterClient {
  @Get('hello/:name')
  hello(@Param('name') name: string, @Query('polite') polite = true): Promise<string> {
    return remote(name, polite);
  }
}
