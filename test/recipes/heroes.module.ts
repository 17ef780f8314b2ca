// src/heroes.module.ts
import { experimental } from '@grpc/grpc-js';
import { Module } from '@nestjs/common';
import { ClientsModule, Transport } from '@nestjs/microservices';
import { Discovery } from '../../lib/index.js';
import { serviceCombResolver } from './servicecomb-resolver.js';

@Module({
  imports: [
    ClientsModule.registerAsync([
      {
        name: 'HEROES',
        inject: [Discovery],
        useFactory: (discovery: Discovery) => {
          experimental.registerResolver('servicecomb', serviceCombResolver(discovery));
          return {
            transport: Transport.GRPC,
            options: {
              url: 'servicecomb:///heroes',
              package: 'hero',
              protoPath: 'test/recipes/hero.proto',
              channelOptions: {
                'grpc.service_config': JSON.stringify({
                  loadBalancingConfig: [{ round_robin: {} }],
                }),
              },
            },
          };
        },
      },
    ]),
  ],
  exports: [ClientsModule],
})
export class HeroesModule {}
