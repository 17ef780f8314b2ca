import { json, listed } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import { isObject } from '../api/struct-reader.js';
import type { Labels } from './permissions.js';

/** Lists that are cut down: their name in the answer, and what an item of theirs is about. */
const lists: ReadonlyMap<
  string,
  { readonly name: string; readonly of: (item: unknown) => Fields }
> = new Map([
  ['/v4/:project/registry/microservices', { name: 'services', of: fieldsOf }],
  [
    '/v4/:project/govern/microservices',
    {
      name: 'allServicesDetail',
      of: (item: unknown) => fieldsOf(fieldsOf(item).get('microService')),
    },
  ],
  [
    '/v4/:project/govern/apps',
    { name: 'appIds', of: (item: unknown) => new Map([['appId', item]]) },
  ],
]);

type Fields = ReadonlyMap<string, unknown>;

/**
 * Cuts the list in an answer down to what some permission covers (server/response/response.go). Here,
 * unlike in the permission's own check, a `*` in a service's name stands for anything.
 */
export function cutDown(answer: Answer, pattern: string, labels: readonly Labels[]): Answer {
  const list = lists.get(pattern);
  if (list === undefined || labels.length === 0 || answer.status !== 200) return answer;
  const fields = new Map(fieldsOf(JSON.parse(answer.body)));
  const items: unknown = fields.get(list.name);
  if (!Array.isArray(items)) return answer;
  const kept = items.filter(item => labels.some(wants => isCovered(list.of(item), wants)));
  fields.set(list.name, listed(kept));
  return { ...json(Object.fromEntries(fields), answer.headers), status: answer.status };
}

/** What is not known of an item, like an application's environment, is no reason to leave it out. */
function isCovered(fields: Fields, wants: Labels): boolean {
  const { environment, appId, serviceName } = wants;
  const isOf = (name: string, value: string | undefined) =>
    value === undefined || (fields.get(name) ?? '') === value;
  if (!fields.has('serviceName')) return isOf('appId', appId);
  const isNamed =
    serviceName === undefined || wildcard(serviceName).test(String(fields.get('serviceName')));
  return isNamed && isOf('appId', appId) && isOf('environment', environment);
}

function wildcard(pattern: string): RegExp {
  const parts = pattern
    .split('*')
    .map(part => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`);
}

function fieldsOf(value: unknown): Fields {
  return new Map<string, unknown>(isObject(value) ? Object.entries(value) : []);
}
