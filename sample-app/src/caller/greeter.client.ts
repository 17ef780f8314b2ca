import { HttpService } from '@nestjs/axios';
import { Inject, Injectable } from '@nestjs/common';
import { candidateOf, Discovery } from 'nestjs-servicecomb';
import type { Greeting } from '../shared/greeting.js';

/** A greeting, and where it came from. */
export interface CalledGreeting extends Greeting {
  /** The endpoint that answered, as it is registered. */
  readonly endpoint: string | undefined;
}

/** A greeter that is known. */
export interface KnownGreeter {
  readonly endpoints: readonly string[];
  readonly status: string | undefined;
  /** Milliseconds until a call is tried there again; null: it gets its part of the calls. */
  readonly setAsideForMs: number | null;
}

/** Calls the greeter, wherever it runs. */
@Injectable()
export class GreeterClient {
  constructor(
    @Inject(HttpService) private readonly http: HttpService,
    @Inject(Discovery) private readonly discovery: Discovery,
  ) {}

  /**
   * @throws NoInstanceError when there is no instance to call
   * @throws AxiosError when none answers
   */
  async hello(name: string): Promise<CalledGreeting> {
    const url = 'http://greeter/hello'; // the name of the service, not of a host
    const answer = await this.http.axiosRef.get<Greeting>(url, { params: { name } });
    return { ...answer.data, endpoint: candidateOf(answer)?.endpoint.text };
  }

  /** @throws NoInstanceError when no greeter has ever been registered */
  async instances(): Promise<readonly KnownGreeter[]> {
    // A snapshot asks nobody, so that before the first question it is empty.
    await this.discovery.find('greeter');
    const { providers } = this.discovery.snapshot();
    const known = providers.find(({ provider }) => provider.serviceName === 'greeter');
    return (known?.instances ?? []).map(({ endpoints, status, ejectedForMs }) => ({
      endpoints,
      status,
      setAsideForMs: ejectedForMs,
    }));
  }
}
