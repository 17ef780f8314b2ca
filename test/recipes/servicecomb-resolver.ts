// src/servicecomb-resolver.ts
import { experimental, Metadata, status } from '@grpc/grpc-js';
import type { Discovery, StoredInstance } from '../../lib/index.js';
import { asapScheduler, observeOn, type Subscription } from 'rxjs';

export function serviceCombResolver(discovery: Discovery) {
  return class implements experimental.Resolver {
    subscription: Subscription | undefined;

    constructor(
      readonly target: experimental.GrpcUri,
      readonly listener: experimental.ResolverListener,
    ) {}

    updateResolution(): void {
      // grpc-js must not hear of it within this call.
      this.subscription ??= discovery
        .watch(this.target.path)
        .pipe(observeOn(asapScheduler))
        .subscribe(({ instances }) => this.report(instances.flatMap(grpcEndpointsOf)));
    }

    report(endpoints: experimental.Endpoint[]): void {
      const details = `No instance of ${this.target.path} is registered for gRPC`;
      const error = { code: status.UNAVAILABLE, details, metadata: new Metadata() };
      // An empty list would let calls wait for ever.
      const list = endpoints.length > 0 ? experimental.statusOrFromValue(endpoints) : undefined;
      this.listener(list ?? experimental.statusOrFromError(error), {}, null, '');
    }

    destroy(): void {
      this.subscription?.unsubscribe();
      this.subscription = undefined;
    }

    static getDefaultAuthority(target: experimental.GrpcUri): string {
      return target.path;
    }
  };
}

function grpcEndpointsOf({ endpoints = [] }: StoredInstance): experimental.Endpoint[] {
  const text = endpoints.find(endpoint => endpoint.startsWith('grpc://'));
  if (text === undefined) return [];
  const { hostname, port } = new URL(text);
  return [{ addresses: [{ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }] }];
}
