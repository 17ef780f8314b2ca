// src/sums.module.ts
import { Module } from '@nestjs/common';
import { ClientsModule } from '@nestjs/microservices';
import { Discovery } from '../../lib/index.js';
import { DiscoveredClientTcp } from './discovered-client-tcp.js';

@Module({
  imports: [
    ClientsModule.registerAsync([
      {
        name: 'SUMS',
        inject: [Discovery],
        useFactory: (discovery: Discovery) => ({
          customClass: DiscoveredClientTcp,
          options: { discovery, provider: 'sums' },
        }),
      },
    ]),
  ],
  exports: [ClientsModule],
})
export class SumsModule {}
