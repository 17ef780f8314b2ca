import { gunzipSync } from 'node:zlib';

/** An answer that came in full. */
export interface HttpAnswer {
  readonly status: number;
  /** By lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/**
 * Takes the first answer from what a server sent, strictly as RFC 9112 has it.
 *
 * @param isClosed true when no more will come
 * @param method of the request: the answer to HEAD has no body, whatever its length
 * @returns the answer and what follows; undefined while there is more to come
 * @throws Error for what is no answer
 */
export function takeAnswer(
  received: Buffer,
  isClosed: boolean,
  method = 'GET',
): { answer: HttpAnswer; rest: Buffer } | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [first = '', ...lines] = received.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) [\t -~]+$/.exec(first)?.[1]);
  if (!status) throw new Error(`no status line: ${first}`);
  const headers = new Map(lines.map(line => headerOf(line)));
  const body = received.subarray(end + 4);
  const told = lengthOf(status, headers) ?? (isClosed ? body.length : Infinity);
  const length = method === 'HEAD' ? 0 : told;
  if (body.length < length) return undefined;
  const answer = { status, headers, body: body.subarray(0, length) };
  return { answer, rest: body.subarray(length) };
}

/** The text of an answer without its coding. @throws Error when it is not what its headers say */
export function textOf({ headers, body }: HttpAnswer): string {
  const plain = headers.get('content-encoding') === 'gzip' ? gunzipSync(body) : body;
  const text = plain.toString();
  if (headers.get('content-type')?.startsWith('application/json')) JSON.parse(text);
  return text;
}

function headerOf(line: string): [name: string, value: string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+): ?([\t -~\u0080-\u00ff]*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`no header: ${line}`);
  return [name.toLowerCase(), value];
}

/** Undefined where the end of the connection is the end of the answer. */
function lengthOf(status: number, headers: ReadonlyMap<string, string>): number | undefined {
  if (status < 200 || status === 204 || status === 304) return 0;
  const length = headers.get('content-length');
  if (length !== undefined && /^\d+$/.test(length)) return Number(length);
  if (length === undefined && headers.get('connection') === 'close') return undefined;
  throw new Error(`an answer ${status} of unknown length`);
}
