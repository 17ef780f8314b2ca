import { createHash } from 'node:crypto';
import type { Schema } from './wire.js';

/**
 * The contracts of a service by their ids: 1 to 160 letters, digits, `_-.`, a letter or digit first and last;
 * at most 100. A text is uploaded as it is, anything else as JSON with its keys in order.
 */
export type SchemaDocuments = Readonly<Record<string, string | object>>;

/** A schema as it is uploaded. */
export type SchemaContent = Required<Schema> & {
  readonly schema: string;
  readonly summary: string;
};

const mostSchemas = 100;

/**
 * Reads documents as the contents to upload.
 * @throws RangeError when there are too many, or an id or a content cannot be sent
 */
export function contentsOf(documents: SchemaDocuments): readonly SchemaContent[] {
  const entries = Object.entries(documents);
  if (entries.length > mostSchemas)
    throw new RangeError(`schemas must be at most ${mostSchemas}, got ${entries.length}`);
  return entries.map(([schemaId, document]) => {
    const problem = schemaProblem(schemaId, document);
    const id = JSON.stringify(schemaId.slice(0, 200));
    if (problem !== undefined) throw new RangeError(`schema ${id} ${problem}`);
    const schema = textOf(document);
    return { schemaId, schema, summary: sha256(schema) };
  });
}

/** Returns what is wrong with a schema, in words that follow its name; undefined when it can be sent. */
export function schemaProblem(schemaId: string, document: unknown): string | undefined {
  if (!/^(?=.{1,160}$)[a-zA-Z0-9]([a-zA-Z0-9_\-.]*[a-zA-Z0-9])?$/.test(schemaId))
    return 'must have an id of 1 to 160 letters, digits, "_", "-" and ".", a letter or digit first and last';
  const isText = typeof document === 'string' && document !== '';
  if (!isText && (typeof document !== 'object' || document === null))
    return 'must be a text that is not empty, or an object';
  try {
    textOf(document);
    return undefined;
  } catch {
    return 'must be an object that JSON can hold';
  }
}

/** With its keys in order a document has one text, however it was put together. */
function textOf(document: string | object): string {
  return typeof document === 'string' ? document : JSON.stringify(document, inOrder);
}

function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The summary that the official clients send, in hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
