import { Inject, Injectable, ServiceUnavailableException } from '@nestjs/common';
import { isServiceCombError } from 'nestjs-servicecomb';
import { type Greeting, isGreeting } from '../shared/greeting.js';
import { GreeterInstances } from './greeter-instances.js';

/** A greeting, and where it came from. */
export interface CalledGreeting extends Greeting {
  /** The endpoint that the registry gave and the caller called. */
  readonly endpoint: string;
}

/** An instance that has just died may still be listed, so one other is tried. */
const attempts = 2;
const timeoutMs = 2_000;

/** Calls the greeter, wherever it runs. */
@Injectable()
export class GreeterClient {
  #turn = 0;

  constructor(@Inject(GreeterInstances) private readonly instances: GreeterInstances) {}

  /** @throws ServiceUnavailableException when no instance is listed, or none answers */
  async hello(name: string): Promise<CalledGreeting> {
    const endpoints = await this.#endpoints();
    const failures: string[] = [];
    for (const endpoint of endpoints.slice(0, attempts)) {
      try {
        return { ...(await ask(endpoint, name)), endpoint };
      } catch (error) {
        failures.push(`${endpoint} (${reasonOf(error)})`);
      }
    }
    throw new ServiceUnavailableException(
      failures.length === 0
        ? 'No instance of the greeter is in the registry'
        : `The greeter does not answer: ${failures.join(', ')}`,
    );
  }

  /** One endpoint per instance, beginning with another one at each call: round robin. */
  async #endpoints(): Promise<readonly string[]> {
    const instances = await this.instances.findUp().catch(unavailable);
    const endpoints = instances.flatMap(({ endpoints = [] }) => endpoints.slice(0, 1));
    const first = this.#turn++ % Math.max(endpoints.length, 1);
    return [...endpoints.slice(first), ...endpoints.slice(0, first)];
  }
}

async function ask(endpoint: string, name: string): Promise<Greeting> {
  const url = urlOf(endpoint, '/hello');
  url.searchParams.set('name', name);
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const answer: unknown = await response.json();
  if (!isGreeting(answer)) throw new Error('no greeting');
  return answer;
}

/** ServiceComb writes endpoints as `rest://10.0.0.7:3001`, with `?sslEnabled=true` for https. */
function urlOf(endpoint: string, path: string): URL {
  const { host, searchParams } = new URL(endpoint);
  const scheme = searchParams.get('sslEnabled') === 'true' ? 'https' : 'http';
  return new URL(path, `${scheme}://${host}`);
}

/** What fetch throws says `fetch failed`; the cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}

function unavailable(error: unknown): never {
  if (isServiceCombError(error)) throw new ServiceUnavailableException(error.message);
  throw error;
}
