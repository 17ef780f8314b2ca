import type { InstanceView, ServiceDetails, ServiceView } from '../messages.js';
import { byId, setText } from './element.js';

/**
 * Sends a request to the registry and shows a failure on the page. Resolves to whether it
 * succeeded.
 */
async function call(method: string, path: string, body?: object): Promise<boolean> {
  const problem = byId('problem');
  try {
    const answer = await fetch(path, {
      method,
      ...(method === 'POST'
        ? { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}) }
        : {}),
    });
    problem.hidden = answer.ok;
    if (!answer.ok) setText(problem, wordsOf(answer.status, await answer.text()));
    return answer.ok;
  } catch {
    problem.hidden = false;
    setText(problem, 'The registry did not answer.');
    return false;
  }
}

function wordsOf(status: number, text: string): string {
  try {
    const { error = '', issues = [] }: { error?: string; issues?: readonly string[] } =
      JSON.parse(text);
    return [error, ...issues].join(' · ') || `The registry answered ${status}.`;
  } catch {
    return `The registry answered ${status}.`;
  }
}

function pathOf(
  { serviceId, tenant }: ServiceView,
  { instanceId }: { readonly instanceId: string },
  end = '',
): string {
  const only = new URLSearchParams({ serviceId, tenant });
  return `instances/${encodeURIComponent(instanceId)}${end}?${only.toString()}`;
}

/** Ends the lease of an instance. */
export async function expire(
  service: ServiceView,
  instance: Pick<InstanceView, 'instanceId'>,
): Promise<void> {
  await call('POST', pathOf(service, instance, '/expire'));
}

/** Removes an instance. */
export async function remove(
  service: ServiceView,
  instance: Pick<InstanceView, 'instanceId'>,
): Promise<void> {
  await call('DELETE', pathOf(service, instance));
}

/** Reads what is known of a service besides its instances; undefined when the registry does not tell. */
export async function detailsOf(service: ServiceView): Promise<ServiceDetails | undefined> {
  const { serviceId, tenant } = service;
  const only = new URLSearchParams({ tenant });
  try {
    const answer = await fetch(`services/${encodeURIComponent(serviceId)}?${only.toString()}`);
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

/** Path of the text of a schema. */
export function schemaPath({ serviceId, tenant }: ServiceView, schema: string): string {
  const only = new URLSearchParams({ tenant, schema });
  return `services/${encodeURIComponent(serviceId)}?${only.toString()}`;
}

/** Switches a fault on; resolves to false if it was refused. */
export function startFault(body: object): Promise<boolean> {
  return call('POST', 'faults', body);
}

/** Switches a fault off. */
export async function endFault(id: string): Promise<void> {
  await call('DELETE', `faults/${encodeURIComponent(id)}`);
}

/** Closes the connections without an open request. */
export async function closeIdle(): Promise<void> {
  await call('DELETE', 'connections/idle');
}

/** Resets the connections of all watchers. */
export async function cutWatchers(): Promise<void> {
  await call('DELETE', 'connections/watchers');
}
