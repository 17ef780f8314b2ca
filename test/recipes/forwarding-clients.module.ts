// src/forwarding-clients.module.ts
import { Get, Module } from '@nestjs/common';
import { ClsServiceManager } from 'nestjs-cls';
import { DiscoveryHttpModule, remote, ServiceClient } from '../../lib/index.js';

@ServiceClient('greeter')
export class TenantClient {
  @Get('tenant')
  name(): Promise<string> {
    return remote();
  }
}

const context = () =>
  ClsServiceManager.getClsService().get<Record<string, string> | undefined>('forwarded');

@Module({
  imports: [DiscoveryHttpModule.forFeature([TenantClient], { context })],
  exports: [DiscoveryHttpModule],
})
export class ForwardingClientsModule {}
