import { goJson, jsonText, omitEmpty } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { requestRules } from '../api/request-rules.js';
import { validate } from '../api/validation.js';
import {
  findInstances as find,
  getInstance as getOne,
  listInstances as listOf,
} from '../model/find-instances.js';
import type { FoundInstances } from '../model/find-instances.js';
import type { InstanceList, ListText } from '../model/instance-list.js';
import { refOf, unmarshalError } from './instance-handlers.js';
import { readBatchFind } from '../api/request-bodies.js';
import { invalid, catchRegistryError, RegistryError, messageOf } from '../model/registry-error.js';
import type { ErrorBody } from '../model/registry-error.js';
import type { Namespace } from '../model/namespace.js';
import type { View } from '../model/publication.js';

/** GET instances, by the name of their service. */
export function findInstances(call: Call): Answer {
  const { versionRequired } = call.profile.settings;
  const name = call.value('serviceName');
  const versionRule = versionRequired ? call.value('version') : undefined;
  const query = {
    consumerId: call.consumerId,
    appId: call.value('appId'),
    serviceName: name,
    alias: name,
    environment: call.value('env'),
    tags: call.tags,
    versionRule,
  };
  const rules = versionRequired ? requestRules.findByVersion : requestRules.findInstances;
  validate(rules, { ...query, consumerServiceId: query.consumerId });
  const { namespace, revision } = call;
  call.profile.limits.checkFind(namespace, query.consumerId);
  return listAnswer(
    call,
    readAsRequested(call, revision, view => find(namespace, { ...query, view })),
  );
}

/** GET the instances of one service. */
export function listInstances(call: Call): Answer {
  const { consumerId, tags } = call;
  const serviceId = call.parameter('serviceId');
  validate(requestRules.listInstances, {
    consumerServiceId: consumerId,
    providerServiceId: serviceId,
    tags,
  });
  const { namespace, revision } = call;
  const query = { consumerId, serviceId, tags };
  return listAnswer(
    call,
    readAsRequested(call, revision, view => listOf(namespace, { ...query, view })),
  );
}

/** GET one instance. */
export function getInstance(call: Call): Answer {
  const { consumerId, tags } = call;
  const ref = refOf(call);
  validate(requestRules.getInstance, {
    consumerServiceId: consumerId,
    providerServiceId: ref.serviceId,
    providerInstanceId: ref.instanceId,
    tags,
  });
  const { namespace, revision } = call;
  const query = { consumerId, tags, ...ref };
  const found = readAsRequested(call, revision, view => getOne(namespace, { ...query, view }));
  return withRevision(call, found, () => jsonText(goJson({ instance: found.instance.instance })));
}

function listAnswer(call: Call, found: FoundInstances): Answer {
  return withRevision(call, found, () => {
    const texts = textsOf(call, found.lists);
    const [only] = texts;
    if (only === undefined || texts.length > 1) return jsonText(documentOf(texts));
    return { ...jsonText(only.text), gzip: () => only.gzip };
  });
}

/** Returns an answer with its revision, and without a body if the client has that revision. */
function withRevision(call: Call, { revision }: Revised, answer: () => Answer): Answer {
  const headers = { 'X-Resource-Revision': revision };
  if (call.revision === revision) return { status: 304, headers, body: '' };
  const found = answer();
  return { ...found, headers: { ...found.headers, ...headers } };
}

/** Something that was found, with its revision. */
interface Revised {
  readonly revision: string;
}

const [open, close] = ['{"instances":[', ']}'];

/** Returns the JSON object of each list that has instances. */
function textsOf({ model }: Call, lists: readonly InstanceList[]): readonly ListText[] {
  return lists
    .filter(({ size }) => size > 0)
    .map(list => model.shared.listTexts.textOf(list, writeDocument));
}

/** Returns the JSON object of all lists together; it is empty without any. */
function documentOf(texts: readonly ListText[]): string {
  if (texts.length === 0) return '{}';
  const items = texts.map(({ text }) => text.slice(open.length, -close.length));
  return `${open}${items.join(',')}${close}`;
}

function writeDocument({ records }: InstanceList): string {
  return goJson({ instances: records.map(({ instance }) => instance) });
}

/**
 * POST instances/action: several finds in one request, each with the revision that the client has.
 */
export function queryInstances(call: Call): Answer {
  call.refuseLongBody();
  const action = call.value('type');
  if (action !== 'query') throw invalid(`Invalid action: ${action}`);
  const { services = [], instances = [] } = call.json(readBatchFind, unmarshalError);
  if (services.length === 0 && instances.length === 0)
    throw invalid('Required services or instances');
  const { consumerId, namespace } = call;
  const { versionRequired } = call.profile.settings;
  const rules = versionRequired ? requestRules.batchFindByVersion : requestRules.batchFind;
  validate(rules, { consumerServiceId: consumerId, services, instances });
  call.profile.limits.checkFind(namespace, consumerId);
  const all = {
    services: collect(services, item => {
      const { environment, appId = '', serviceName = '', version } = item?.service ?? {};
      const versionRule = versionRequired ? version : undefined;
      const query = { consumerId, environment, appId, serviceName, tags: [], versionRule };
      const found = readAsRequested(call, item?.rev ?? '', view =>
        find(namespace, { ...query, view }),
      );
      return { ...found, document: () => documentOf(textsOf(call, found.lists)) };
    }),
    instances: collect(instances, item => {
      const { serviceId = '', instanceId = '' } = item?.instance ?? {};
      const query = { consumerId, serviceId, instanceId, tags: [] };
      const found = readAsRequested(call, item?.rev ?? '', view =>
        getOne(namespace, { ...query, view }),
      );
      return { ...found, document: () => goJson({ instances: [found.instance.instance] }) };
    }),
  };
  return jsonText(objectText(all));
}

/** Returns the text of an object from the texts of its fields; absent ones are omitted. */
function objectText(fields: Readonly<Record<string, string | undefined>>): string {
  const present = Object.entries(fields).flatMap(([name, text]) =>
    text === undefined ? [] : `"${name}":${text}`,
  );
  return `{${present.join(',')}}`;
}

interface Failure {
  readonly indexes: number[];
  readonly error: ErrorBody;
}

/** A result of a batch, with the JSON object of its instances. */
interface BatchResult extends Revised {
  readonly document: () => string;
}

/**
 * Groups results into failed (by code, with the detail of the first), not modified, and updated, and
 * returns the text of that; undefined without results.
 */
function collect<Item extends { readonly rev?: string | undefined } | null>(
  items: readonly Item[],
  find: (item: Item) => BatchResult,
): string | undefined {
  if (items.length === 0) return undefined;
  const failed = new Map<number, Failure>();
  const notModified: number[] = [];
  const updated: string[] = [];
  for (const [index, item] of items.entries()) {
    const found = catchRegistryError(() => find(item));
    if (found instanceof RegistryError) addFailure(failed, index, found);
    else if (found.revision === item?.rev) notModified.push(index);
    else {
      const instances = found.document().slice(1, -1);
      const fields = [`"index":${index}`, `"rev":"${found.revision}"`, instances];
      updated.push(`{${fields.filter(Boolean).join(',')}}`);
    }
  }
  const lists = { failed: omitEmpty([...failed.values()]), notModified: omitEmpty(notModified) };
  return objectText({
    failed: lists.failed && goJson(lists.failed),
    notModified: lists.notModified && goJson(lists.notModified),
    updated: updated.length === 0 ? undefined : `[${updated.join(',')}]`,
  });
}

function addFailure(failed: Map<number, Failure>, index: number, refusal: RegistryError): void {
  const { errorCode, message } = refusal;
  const error = {
    errorCode: String(errorCode),
    errorMessage: messageOf(errorCode),
    // The server wraps the text of the error once more (server/service/disco/instance.go).
    detail: message,
  };
  const failure = failed.get(errorCode) ?? { indexes: [], error };
  failure.indexes.push(index);
  failed.set(errorCode, failure);
}

/**
 * Returns the namespace for a read of services, which the cache always shows correctly.
 *
 * @throws RegistryError 500003 if the read must bypass the cache and the store is down
 */
export function namespaceForRead(call: Call): Namespace {
  const { namespace } = call;
  if (call.isSet('noCache')) namespace.shared.store.requireForFind();
  return namespace;
}

/**
 * Reads from where a request wants: `noCache` means the store, `cacheOnly` the cache. If the client
 * has another revision than the cache, the server also looks into its store
 * (datasource/etcd/cache/filter_consistency.go).
 */
function readAsRequested<Found extends Revised>(
  call: Call,
  revision: string,
  read: (view: View) => Found,
): Found {
  if (call.isSet('noCache')) return read('store');
  if (call.isSet('cacheOnly')) return read('cache-only');
  if (revision === '' || !call.model.hasStaleReads) return read('cache');
  const cached = catchRegistryError(() => read('cache'));
  return cached instanceof RegistryError || cached.revision !== revision ? read('store') : cached;
}
