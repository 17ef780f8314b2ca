import { validateHeaderName, validateHeaderValue } from 'node:http';
import { operationNames } from '../api/operations.js';
import type { FaultBody } from '../server/fault-effects.js';
import type { FaultKind, FaultMatch } from '../server/fault.js';
import type { Faults } from '../server/faults.js';
import { BodyReader, isObject } from './body-reader.js';

/** Switches a fault on. `sent` resolves once the request that asked for it has been answered. */
type StartFault = (faults: Faults, sent: Promise<void>) => void;

/** A fault to switch on, or everything that is wrong with the request. */
export type FaultRequest =
  | { readonly kind: 'good'; readonly start: StartFault }
  | { readonly kind: 'bad'; readonly issues: readonly string[] };

const hourMs = 3_600_000;
const aboutCenturyMs = 100 * 365 * 24 * hourMs;
const allMoments = ['before', 'after'] as const;

/** Reads the body of POST /-/faults and checks every field. */
export function readFault(document: unknown): FaultRequest {
  const issues: string[] = [];
  const body = new BodyReader(document, issues);
  const kinds = Object.keys(readers).filter(isFaultKind);
  const kind = body.choice('kind', kinds);
  if (kind === undefined) {
    if (!body.has('kind')) issues.push(`kind must be one of ${kinds.join(', ')}`);
    return { kind: 'bad', issues };
  }
  const start = readers[kind](body);
  body.refuseUnknown();
  return issues.length === 0 ? { kind: 'good', start } : { kind: 'bad', issues };
}

const readers: Readonly<Record<FaultKind, (body: BodyReader) => StartFault>> = {
  hang: body => {
    const match = readMatch(body, allMoments);
    return faults => void faults.hang(match);
  },
  delay: body => {
    const ms = body.integer('ms', { min: 0, max: hourMs });
    const match = readMatch(body, allMoments);
    return faults => void faults.delay(ms, match);
  },
  reset: body => {
    const match = readMatch(body, allMoments);
    return faults => void faults.reset(match);
  },
  answer: readAnswer,
  trickle: body => {
    const everyMs = body.integer('everyMs', { min: 0, max: hourMs }, 100);
    const chunkBytes = body.integer('chunkBytes', { min: 1, max: 65_536 }, 1);
    const match = readMatch(body);
    return faults => void faults.trickle(everyMs, { ...match, chunkBytes });
  },
  garbage: readGarbage,
  'swallow-renewals': body => {
    const match = readMatch(body);
    return faults => void faults.swallowRenewals(match);
  },
  'skew-clock': body => {
    const ms = body.integer('ms', { min: -aboutCenturyMs, max: aboutCenturyMs });
    return faults => void faults.skewClock(ms);
  },
  refuse: body => {
    // Without a duration the fault could not be ended, because the port is closed.
    const ms = body.integer('ms', { min: 1, max: hourMs });
    return (faults, sent) => void faults.refuseAfter(sent, ms);
  },
};

function readAnswer(body: BodyReader): StartFault {
  const status = body.integer('status', { min: 200, max: 599 });
  const content = body.value('body', faultBodyOf) ?? '';
  const contentType = body.value('contentType', value => headerValueOf('Content-Type', value));
  const headers = body.value('headers', headersOf);
  const match = readMatch(body, allMoments);
  return faults => void faults.answer(status, content, { ...match, contentType, headers });
}

function readGarbage(body: BodyReader): StartFault {
  const insteadOf = body.choice('insteadOf', ['http', 'json']);
  const text = body.text('text');
  const base64 = body.text('base64');
  if (text !== undefined && base64 !== undefined)
    body.issues.push('text and base64 exclude each other');
  const match = readMatch(body, allMoments);
  const bytes = base64 === undefined ? text : Buffer.from(base64, 'base64');
  return faults => void faults.garbage({ ...match, insteadOf }, bytes);
}

/** @param moments allowed values of `when`; without any, `when` is not allowed */
function readMatch(body: BodyReader, moments?: readonly ('before' | 'after')[]): FaultMatch {
  const match = body.inner('match');
  const read = {
    operation: match.choice('operation', operationNames),
    method: match.choice('method', ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']),
    path: match.value('path', expressionOf),
    times: match.has('times') ? match.integer('times', { min: 1, max: 1_000_000 }) : undefined,
    when: moments === undefined ? undefined : match.choice('when', moments),
  };
  match.refuseUnknown();
  return read;
}

function expressionOf(value: unknown): RegExp {
  if (typeof value !== 'string') throw new TypeError('must be the text of a regular expression');
  return new RegExp(value);
}

function faultBodyOf(value: unknown): FaultBody {
  if (typeof value === 'string' || isObject(value)) return value;
  throw new TypeError('must be a text or an object');
}

function headersOf(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) throw new TypeError('must be an object of texts');
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => [name, headerValueOf(name, text)]),
  );
}

function headerValueOf(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('must be a text');
  validateHeaderName(name);
  validateHeaderValue(name, value);
  return value;
}

function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(readers, name);
}
