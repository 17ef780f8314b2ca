import { validateHeaderName, validateHeaderValue } from 'node:http';
import { operationNames } from '../api/operations.js';
import type { FaultBody } from '../server/fault-effects.js';
import type { FaultKind, FaultMatch, FrameMatch } from '../server/fault.js';
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

/** The deepest nesting of a body: far less than a stack holds, and more than any answer has. */
const maxLevels = 100;

/** The longest expression: nested groups without end would use up the memory. */
const maxPatternLength = 1000;

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
  'mute-watchers': () => faults => void faults.muteWatchers(),
  'swallow-frames': body => {
    const match = readFrameMatch(body);
    return faults => void faults.swallowFrames(match);
  },
  'delay-frames': body => {
    const ms = body.integer('ms', { min: 0, max: hourMs });
    const match = readFrameMatch(body);
    return faults => void faults.delayFrames(ms, match);
  },
  'double-frames': body => {
    const match = readFrameMatch(body);
    return faults => void faults.doubleFrames(match);
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
    times: readTimes(match),
    when: moments === undefined ? undefined : match.choice('when', moments),
  };
  match.refuseUnknown();
  return read;
}

function readFrameMatch(body: BodyReader): FrameMatch {
  const match = body.inner('match');
  const read = {
    action: match.choice('action', ['CREATE', 'UPDATE', 'DELETE']),
    serviceName: match.text('serviceName'),
    instanceId: match.text('instanceId'),
    consumerId: match.text('consumerId'),
    times: readTimes(match),
  };
  match.refuseUnknown();
  return read;
}

function readTimes(match: BodyReader): number | undefined {
  return match.has('times') ? match.integer('times', { min: 1, max: 1_000_000 }) : undefined;
}

function expressionOf(value: unknown): RegExp {
  if (typeof value !== 'string') throw new TypeError('must be the text of a regular expression');
  if (value.length > maxPatternLength)
    throw new TypeError(`must have at most ${maxPatternLength} characters`);
  return new RegExp(value);
}

function faultBodyOf(value: unknown): FaultBody {
  if (typeof value === 'string') return value;
  if (!isObject(value)) throw new TypeError('must be a text or an object');
  if (levelsOf(value) > maxLevels)
    throw new TypeError(`must be nested at most ${maxLevels} levels deep`);
  const { errorCode } = value;
  if (errorCode !== undefined && typeof errorCode !== 'number' && typeof errorCode !== 'string')
    throw new TypeError('must have a number or a text as errorCode');
  return value;
}

/** Returns how deep a value is nested, or a little more than `maxLevels`. */
function levelsOf(value: object): number {
  let levels = 0;
  let level: unknown[] = [value];
  while (level.length > 0 && levels <= maxLevels) {
    levels += 1;
    level = level.flatMap(each => Object.values(Object(each))).filter(isContainer);
  }
  return levels;
}

function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function headersOf(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) throw new TypeError('must be an object of texts');
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => [name, headerValueOf(name, text)]),
  );
}

function headerValueOf(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('must be a text');
  // Node refuses to send one with an answer that is not chunked.
  if (/^trailer$/i.test(name)) throw new TypeError('must not have a Trailer');
  validateHeaderName(name);
  validateHeaderValue(name, value);
  return value;
}

function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(readers, name);
}
