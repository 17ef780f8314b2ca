import { exchange } from '../support/exchange.js';

/** A text that no answer to other namespaces may contain. */
export const secret = 'secret-of-a-canary';

/**
 * Namespaces that no fuzz request belongs to, although it uses the ids that are registered there.
 */
const homes = [
  { domain: 'canary', project: 'default' },
  { domain: 'default', project: 'canary' },
  { domain: 'canary', project: 'canary' },
] as const;

const ids = { serviceId: 'kept-service', instanceId: 'kept-instance' };
const service = `/microservices/${ids.serviceId}`;
const instance = `${service}/instances/${ids.instanceId}`;

/** Registers a complete service in each of these namespaces. */
export async function registerCanaries(url: string): Promise<void> {
  const properties = { secret };
  for (const home of homes) {
    await ask(url, home, 'POST /microservices', {
      service: { serviceId: ids.serviceId, serviceName: 'orders', alias: 'stock', properties },
      tags: properties,
    });
    await ask(url, home, `PUT ${service}/schemas/s1`, { schema: secret, summary: 's' });
    // The lease is longer than every run: more than an hour.
    const healthCheck = { mode: 'push', interval: 3600, times: 3 };
    await ask(url, home, `POST ${service}/instances`, {
      instance: { instanceId: ids.instanceId, hostName: secret, properties, healthCheck },
    });
  }
}

/** Returns the content of these namespaces without time stamps. */
export async function readCanaries(url: string): Promise<readonly string[]> {
  const read: string[] = [];
  for (const home of homes)
    for (const path of ['/microservices', `${service}/tags`, `${service}/schemas/s1`, instance])
      read.push(await ask(url, home, `GET ${path}`));
  return read;
}

async function ask(
  url: string,
  { domain, project }: (typeof homes)[number],
  line: string,
  body?: unknown,
): Promise<string> {
  const [method, path = ''] = line.split(' ');
  const headers = { 'X-Domain-Name': domain };
  const answer = await exchange(url, {
    method,
    path: `/v4/${project}/registry${path}`,
    headers,
    body,
  });
  if (answer.status !== 200)
    throw new Error(`${line} was answered ${answer.status} ${answer.text}`);
  return answer.text;
}
