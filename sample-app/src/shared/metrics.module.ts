import { Controller, Get, Header, Inject, Module } from '@nestjs/common';
import { RegistryMetricsModule } from 'nestjs-servicecomb/metrics';
import { Registry } from 'prom-client';

/** Holds what is served: a registry for each application, rather than the one of the process. */
@Module({
  providers: [{ provide: Registry, useFactory: () => new Registry() }],
  exports: [Registry],
})
class PrometheusModule {}

/** `GET /metrics`, for Prometheus. */
@Controller('metrics')
class MetricsController {
  constructor(@Inject(Registry) private readonly registry: Registry) {}

  @Get()
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  metrics(): Promise<string> {
    return this.registry.metrics();
  }
}

@Module({
  imports: [
    PrometheusModule,
    RegistryMetricsModule.forRootAsync({
      imports: [PrometheusModule],
      inject: [Registry],
      useFactory: (registry: Registry) => ({ registry }),
    }),
  ],
  controllers: [MetricsController],
})
export class MetricsModule {}
