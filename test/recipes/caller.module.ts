// src/caller.module.ts
import { Controller, Get, Module, Param } from '@nestjs/common';
import { DiscoveryHttpModule } from '../../lib/index.js';
import { GreeterClient } from './greeter.client.js';

@Controller()
class CallerController {
  constructor(private readonly greeter: GreeterClient) {}

  @Get('call/:name')
  call(@Param('name') name: string): Promise<string> {
    return this.greeter.hello(name);
  }
}

@Module({
  imports: [DiscoveryHttpModule.forFeature([GreeterClient])],
  controllers: [CallerController],
})
export class CallerModule {}
