// src/forwarding.module.ts
import type { IncomingMessage } from 'node:http';
import { Module } from '@nestjs/common';
import { ClsModule, ClsService } from 'nestjs-cls';
import { DiscoveryHttpModule } from '../../lib/index.js';

const forwarded = ['traceparent', 'tracestate', 'x-tenant'];

/** The headers of a request that calls made for it carry on. */
function forwardedHeaders({ headers }: IncomingMessage): Record<string, string> {
  const found = forwarded.map(name => [name, headers[name]] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, string] => Boolean(entry[1])));
}

@Module({
  imports: [
    ClsModule.forRoot({
      global: true,
      middleware: {
        mount: true,
        setup: (cls: ClsService, request: IncomingMessage) =>
          cls.set('forwarded', forwardedHeaders(request)),
      },
    }),
    DiscoveryHttpModule.registerAsync({
      inject: [ClsService],
      useFactory: (cls: ClsService) => ({
        context: () => cls.get<Record<string, string> | undefined>('forwarded'),
      }),
    }),
  ],
  exports: [DiscoveryHttpModule],
})
export class ForwardingModule {}
