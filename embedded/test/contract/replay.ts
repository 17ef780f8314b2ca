import type { Bindings } from './bindings.js';
import type { TestAnswer, TestRequest } from '../support/exchange.js';
import type { RecordedStep } from './recording.js';

/** Headers that were recorded whenever the server sent them, so that a missing one was not sent. */
const recordedHeaders = [
  'content-type',
  'allow',
  'x-resource-revision',
  'x-schema-summary',
  'deprecation',
];

/** Lists whose order on the server is random. */
const unordered = new Set([
  'instances',
  'services',
  'schemas',
  'providers',
  'consumers',
  'failed',
  'updated',
]);

const serviceCenterIds: ReadonlySet<unknown> = new Set([
  '7062417bf9ebd4c646bb23059003cea42180894a',
  '{{scServiceId}}',
]);

/** Values that differ between servers, with their format. */
const ofTheServer: Readonly<Record<string, RegExp>> = {
  version: /^\d+(\.\d+)+$/,
  buildTag: /./,
  goVersion: /^[a-z]+\d+(\.\d+)+$/,
  os: /^\w+$/,
  arch: /^\w+$/,
};
const ofItsInstance: Readonly<Record<string, RegExp>> = {
  hostName: /./,
  endpoints: /^rest:\/\/[^/:]+:\d+\/$/,
  version: /^\d+(\.\d+)+$/,
};

/** Time stamps of the recording. */
const seconds: Readonly<Record<string, RegExp>> = {
  createTime: /^\d{10}$/,
  updateTime: /^\d{10}$/,
  releaseAt: /^\d{10}$/,
};

/** Returns the request of a step with the values of this server. */
export function requestOf({ request }: RecordedStep, bindings: Bindings): TestRequest {
  const { method, path, headers = {}, body, rawBody } = request;
  const text = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  return {
    method,
    path: bindings.fill(path),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, bindings.fill(value)]),
    ),
    body: text === undefined ? undefined : bindings.fill(text),
  };
}

/** Returns every difference between an answer and the recorded one. */
export function differences(
  { response, save = {}, saveHeader = {} }: RecordedStep,
  answer: TestAnswer,
  bindings: Bindings,
): string[] {
  // A name that is saved again gets the new value if the answer contains one.
  const told = JSON.stringify([response.json, response.headers]);
  const saved = Object.entries(save).map(
    ([name, key]) => [name, nameAt(response.json, key)] as const,
  );
  for (const name of [...saved.flat(), ...Object.keys(saveHeader)])
    if (told.includes(`{{${name}}}`)) bindings.release(name);
  const found = [...differentHeaders(response.headers, answer, bindings)];
  if (answer.status !== response.status)
    found.push(`status: expected ${response.status}, got ${answer.status}`);
  if (response.text !== undefined && answer.text !== response.text)
    found.push(`body: expected ${JSON.stringify(response.text)}, got ${answer.text}`);
  if (response.json !== undefined) {
    const actual: unknown = JSON.parse(answer.text || 'null');
    found.push(...differencesIn(response.json, actual, bindings));
  }
  // A recorded answer may show a value under another name than the one it is saved as.
  for (const [name, shown] of saved)
    if (told.includes(`{{${shown}}}`)) bindings.set(name, bindings.fill(`{{${shown}}}`));
  for (const name of [...Object.keys(save), ...Object.keys(saveHeader)])
    if (bindings.fill(`{{${name}}}`).startsWith('{{')) found.push(`nothing to save as ${name}`);
  return found;
}

/** Returns the name by which a recorded document shows the value of a key. */
function nameAt(recorded: unknown, key: string): string {
  const values = new Map<string, unknown>(isObject(recorded) ? Object.entries(recorded) : []);
  return /^\{\{(\w+)\}\}$/.exec(String(values.get(key)))?.[1] ?? key;
}

/** Returns every difference between a document and the recorded one. */
export function differencesIn(recorded: unknown, actual: unknown, bindings: Bindings): string[] {
  return compare(recorded, actual, { bindings, path: '', shapes: {} });
}

function differentHeaders(
  recorded: Readonly<Record<string, string>>,
  { headers }: TestAnswer,
  bindings: Bindings,
): string[] {
  return recordedHeaders.flatMap(name => {
    const expected = recorded[name];
    const actual = headers[name];
    if (expected === undefined)
      return actual === undefined ? [] : `${name}: not expected, got ${String(actual)}`;
    const mismatch = bindings.mismatch(expected, actual);
    return mismatch === undefined ? [] : `${name}: ${mismatch}`;
  });
}

interface Place {
  readonly bindings: Bindings;
  readonly path: string;
  readonly shapes: Readonly<Record<string, RegExp>>;
}

function compare(recorded: unknown, actual: unknown, place: Place): string[] {
  const key = place.path.split('.').findLast(part => /\D/.test(part)) ?? '';
  if (Array.isArray(recorded) && Array.isArray(actual)) {
    if (recorded.length !== actual.length)
      return [`${place.path}: expected ${recorded.length} items, got ${JSON.stringify(actual)}`];
    return unordered.has(key)
      ? compareInAnyOrder(recorded, actual, place)
      : recorded.flatMap((item, at) => compare(item, actual[at], inside(place, String(at))));
  }
  if (isObject(recorded) && isObject(actual)) return compareObjects(recorded, actual, place);
  const shape = place.shapes[key] ?? seconds[key];
  if (shape !== undefined)
    return shape.test(String(actual)) ? [] : [`${place.path}: ${String(actual)} is not ${shape}`];
  const mismatch =
    typeof recorded === 'string'
      ? place.bindings.mismatch(recorded, actual)
      : recorded !== actual &&
        `expected ${JSON.stringify(recorded)}, got ${JSON.stringify(actual)}`;
  return mismatch ? [`${place.path}: ${mismatch}`] : [];
}

function compareObjects(recorded: object, actual: object, place: Place): string[] {
  const shapes = shapesOf(recorded, place.shapes);
  const values = new Map<string, unknown>(Object.entries(actual));
  const missing = Object.keys(recorded).filter(key => !values.has(key));
  const extra = [...values.keys()].filter(key => !Object.hasOwn(recorded, key));
  return [
    ...missing.map(key => `${place.path}.${key}: missing`),
    ...extra.map(key => `${place.path}.${key}: not expected`),
    ...Object.entries(recorded).flatMap(([key, value]: [string, unknown]) =>
      values.has(key) ? compare(value, values.get(key), inside({ ...place, shapes }, key)) : [],
    ),
  ];
}

/** Compares each recorded item with the actual one of the same identity. */
function compareInAnyOrder(
  recorded: readonly unknown[],
  actual: readonly unknown[],
  place: Place,
): string[] {
  const rest = [...actual];
  return recorded.flatMap((item, index) => {
    const at = rest.findIndex(candidate => isSame(item, candidate, place.bindings));
    const [partner] = rest.splice(Math.max(at, 0), 1);
    return compare(item, partner, inside(place, String(index)));
  });
}

/** Returns whether two items are about the same thing, by their first id. */
function isSame(recorded: unknown, actual: unknown, bindings: Bindings): boolean {
  if (!isObject(recorded) || !isObject(actual)) return recorded === actual;
  const values = new Map<string, unknown>(Object.entries(actual));
  const id = ['instanceId', 'schemaId', 'serviceId', 'index', 'indexes'].find(
    key => key in recorded,
  );
  const expected = Object.entries(recorded).find(([key]) => key === id)?.[1] as unknown;
  const filled = bindings.fill(JSON.stringify(expected));
  return filled.includes('{{') || filled === JSON.stringify(values.get(id ?? ''));
}

function shapesOf(recorded: object, inherited: Place['shapes']): Place['shapes'] {
  if ('apiVersion' in recorded) return ofTheServer;
  if ('instanceId' in recorded && 'serviceId' in recorded)
    return serviceCenterIds.has(recorded.serviceId) ? ofItsInstance : {};
  return inherited;
}

function inside(place: Place, key: string): Place {
  return { ...place, path: place.path === '' ? key : `${place.path}.${key}` };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
