import { Controller, Get, Inject, Module } from '@nestjs/common';
import {
  HealthCheck,
  type HealthCheckResult,
  HealthCheckService,
  TerminusModule,
} from '@nestjs/terminus';
import { RegistryHealthIndicator } from 'nestjs-servicecomb';

/** `GET /health`: 200 while the instance holds its lease, else 503. `GET /health/ready`: 503 once it leaves. */
@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(RegistryHealthIndicator) private readonly registry: RegistryHealthIndicator,
  ) {}

  /** Answers from what the service knows already: a probe costs the registry nothing. */
  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.registry.isHealthy('registry')]);
  }

  /** For the readiness probe: a registry that is away takes no instance out of service. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.registry.isReady('registry')]);
  }
}

@Module({
  // terminus would write an error into the log at each probe of a service that is down.
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
})
export class HealthModule {}
