import { noScope } from './failures.js';
import { printable } from './printable.js';
import {
  type Decode,
  type FindQuery,
  type Found,
  isCount,
  isInstance,
  isListOf,
  isRecordOf,
  isText,
  jsonObject,
  optional,
  type StoredInstance,
  unexpected,
} from './wire.js';

/** One provider of a batch. The registry looks it up by its name only, not by an alias. */
export type BatchQuery = Pick<FindQuery, 'appId' | 'serviceName' | 'environment' | 'revision'>;

/** The result for one provider of a batch: its instances, or how the registry refused it. */
export type BatchItem = Found | BatchRefusal;

interface BatchRefusal {
  readonly errorCode: number;
  readonly errorMessage: string;
  readonly detail: string | undefined;
}

/** Returns the body of a batch. The version rule is for servers up to 2.0.0, and means all. */
export function batchBody(queries: readonly BatchQuery[]): object {
  return {
    services: queries.map(({ environment, appId, serviceName, revision: rev }) => ({
      service: { environment, appId, serviceName, version: '0.0.0+' },
      rev,
    })),
  };
}

/** The groups of an answer. Refusals are grouped by errorCode, with the detail of the first of them. */
interface Groups {
  readonly failed?: readonly FailedGroup[];
  readonly notModified?: readonly number[];
  readonly updated?: readonly Updated[];
}

interface FailedGroup {
  readonly indexes: readonly number[];
  readonly error: { readonly errorCode: string; readonly detail?: string };
}

interface Updated {
  readonly index: number;
  readonly rev?: string;
  readonly instances?: readonly StoredInstance[];
}

const isGroups = isRecordOf<Groups>({
  failed: optional(
    isListOf(
      isRecordOf<FailedGroup>({
        indexes: isListOf(isCount),
        error: isRecordOf<FailedGroup['error']>({
          errorCode: value => isText(value) && /^\d{6}$/.test(value),
          detail: optional(isText),
        }),
      }),
    ),
  ),
  notModified: optional(isListOf(isCount)),
  updated: optional(
    isListOf(
      isRecordOf<Updated>({
        index: isCount,
        rev: optional(isText),
        instances: optional(isListOf(isInstance)),
      }),
    ),
  ),
});

/** Returns what reads the answer to a batch: one item for each query, in their order. */
export function batchOf(
  queries: readonly BatchQuery[],
  consumerId: string | undefined,
): Decode<readonly BatchItem[]> {
  return ({ body }) => {
    const groups = jsonObject(body)?.['services'];
    if (!isGroups(groups)) return unexpected;
    const items = itemsOf(groups, queries, consumerId);
    const byIndex = new Map(items);
    const inOrder = queries.flatMap((_, index) => byIndex.get(index) ?? []);
    const isOneEach = inOrder.length === queries.length && items.length === queries.length;
    return isOneEach ? inOrder : unexpected;
  };
}

function itemsOf(
  { failed = [], notModified = [], updated = [] }: Groups,
  queries: readonly BatchQuery[],
  consumerId: string | undefined,
): readonly (readonly [index: number, item: BatchItem])[] {
  return [
    ...failed.flatMap(({ indexes, error }) =>
      indexes.map(index => [index, refusalIn(error, queries[index], consumerId)] as const),
    ),
    ...notModified.map(index => [index, { modified: false }] as const),
    ...updated.map(({ index, rev: revision, instances = [] }) => {
      return [index, { modified: true, revision, instances }] as const;
    }),
  ];
}

/**
 * The detail of a refusal belongs to the first of its group, and a success is not searched for secrets that a
 * gateway may have put into it. So only the words that decide the meaning of a refusal are taken from it.
 */
function refusalIn(
  { errorCode, detail = '' }: FailedGroup['error'],
  query: BatchQuery | undefined,
  consumerId = '',
): BatchRefusal {
  const decisive = [`Consumer[${consumerId}] does not exist.`, noScope];
  return {
    errorCode: Number(errorCode),
    errorMessage: printable(`${query?.appId}/${query?.serviceName}`),
    detail: decisive.find(words => detail.includes(words)),
  };
}
