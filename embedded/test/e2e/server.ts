import { connect } from 'node:net';
import { afterEach } from '@jest/globals';
import { EmbeddedServiceCenter } from '../../lib/index.js';
import type { EmbeddedServiceCenterOptions } from '../../lib/index.js';
import { exchange } from '../support/exchange.js';
import type { TestAnswer } from '../support/exchange.js';

const running = new Set<EmbeddedServiceCenter>();

afterEach(async () => {
  await Promise.all([...running].map(serviceCenter => serviceCenter.stop()));
  running.clear();
});

/** Starts a Service Center on a free port and stops it after the test. */
export async function started(
  options: EmbeddedServiceCenterOptions = {},
): Promise<EmbeddedServiceCenter> {
  const serviceCenter = new EmbeddedServiceCenter({ port: 0, ...options });
  running.add(serviceCenter);
  await serviceCenter.start();
  return serviceCenter;
}

/** Sends `"GET /microservices"` below the registry's path. */
export function ask(
  { url }: EmbeddedServiceCenter,
  line: string,
  body?: unknown,
): Promise<TestAnswer> {
  const [method, path = ''] = line.split(' ');
  return exchange(url, { method, path: `/v4/default/registry${path}`, body });
}

/** Returns the error code of a request, or the status of its answer. */
export async function outcome(answer: Promise<TestAnswer>): Promise<string | number> {
  return answer.then(
    ({ status }) => status,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
}

/** Resolves when the next request has arrived in full. */
export function arrival(serviceCenter: EmbeddedServiceCenter): Promise<void> {
  return new Promise(resolve => {
    const remove = serviceCenter.onRequest(() => {
      remove();
      resolve();
    });
  });
}

/** Registers a service and an instance, and returns the path of the instance. */
export async function registered(serviceCenter: EmbeddedServiceCenter): Promise<string> {
  const service = { serviceId: 'orders', serviceName: 'orders' };
  await ask(serviceCenter, 'POST /microservices', { service });
  const instance = { instanceId: 'own', hostName: 'h' };
  await ask(serviceCenter, 'POST /microservices/orders/instances', { instance });
  return '/microservices/orders/instances/own';
}

/**
 * Sends raw bytes and resolves to everything received until the server closes.
 *
 * @param onData called with each received piece
 */
export function rawExchange(
  { url }: EmbeddedServiceCenter,
  bytes: string,
  onData: (received: string) => void = () => undefined,
): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      onData(chunk.toString());
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}
