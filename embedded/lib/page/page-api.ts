import type { IncomingMessage, ServerResponse } from 'node:http';
import { json, plain } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Clock } from '../clock.js';
import type { RegistryModel } from '../model/registry-model.js';
import type { ServiceRecord } from '../model/service-directory.js';
import { HttpExchange, readBody } from '../server/exchange.js';
import type { Faults } from '../server/faults.js';
import { assetOf, pageHeaders } from './assets.js';
import { BodyReader } from './body-reader.js';
import { EventStream, type Setup } from './event-stream.js';
import { readFault } from './fault-body.js';
import { rejectionOf } from './origin-guard.js';
import { faultView, registryView } from './registry-view.js';
import { serviceDetails } from './service-details.js';
import { expireInstance, unregisterInstance } from '../model/instance-operations.js';

/** Parts of a registry that the page shows and controls. */
export interface PageParts {
  readonly model: RegistryModel;
  readonly faults: Faults;
  /** Forgets all services and instances. */
  readonly reset: () => void;
  readonly clock: Clock;
  readonly setup: Setup;
  /** Returns all services and instances as a document that can be loaded again. */
  readonly dump: () => object;
  /** The address that the registry listens on. */
  readonly host: string;
}

const prefix = '/-/';

/** The longest body, in bytes; a fault's answer is part of it. */
const maxBodyBytes = 256 * 1024;

/** The longest step of the clock: a year, in milliseconds. */
const maxAdvanceMs = 365 * 24 * 3_600_000;

interface PageRequest {
  readonly method: string;
  /** Path segments after `/-/`, unescaped. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: string;
  /** Resolves once the answer has been sent. */
  readonly sent: Promise<void>;
}

/**
 * Serves everything below `/-/`: the page, and the API for the page and for tests. Faults do not
 * apply to it, and the journal does not contain it.
 */
export class PageApi {
  readonly #parts: PageParts;
  readonly #events: EventStream;

  constructor(parts: PageParts) {
    this.#parts = parts;
    this.#events = new EventStream(parts.model, parts.faults, parts.setup);
  }

  /** Returns whether a request belongs to the page. */
  static isFor({ url = '' }: IncomingMessage): boolean {
    return url.startsWith(prefix) || /^\/-(\?|$)/.test(url);
  }

  /** Closes the event streams and stops their timers. */
  close(): void {
    this.#events.close();
  }

  /** Answers a request once it has arrived in full. */
  receive(incoming: IncomingMessage, response: ServerResponse): void {
    readBody(incoming, maxBodyBytes, body => {
      const exchange = new HttpExchange(incoming, response, body);
      const sent = new Promise<void>(resolve => exchange.onEnd(resolve));
      const answer = this.#guarded(exchange, sent);
      if (answer === 'events') this.#events.add(response, pageHeaders);
      else exchange.send({ ...answer, headers: { ...pageHeaders, ...answer.headers } });
    });
  }

  #guarded({ request }: HttpExchange, sent: Promise<void>): Answer | 'events' {
    const { method, target, headers, body } = request;
    const rejection = rejectionOf({ method, headers }, this.#parts.host);
    if (rejection !== undefined) return failure(rejection.status, rejection.error);
    if (body.length > maxBodyBytes)
      return failure(413, `The body is longer than ${maxBodyBytes} bytes.`);
    const [pathname = '', query = ''] = target.split(/\?(.*)/s);
    if (pathname === '/-') return redirectToPage;
    const path = segmentsOf(pathname);
    if (path === undefined) return notFound;
    const pageRequest = {
      method: method === 'HEAD' ? 'GET' : method,
      path,
      query: new URLSearchParams(query),
      body: body.toString(),
      sent,
    };
    return method !== 'HEAD' && isRoute(pageRequest, 'GET events')
      ? 'events'
      : this.#answer(pageRequest);
  }

  #answer(request: PageRequest): Answer {
    const { method, path } = request;
    const { model, faults } = this.#parts;
    const [first = '', second = '', third = ''] = path;
    switch (`${method} ${shapeOf(path)}`) {
      case 'GET registry':
        return json(registryView(model));
      case 'GET services/:id':
        return this.#service(request);
      case 'GET seed':
        return this.#seed();
      case 'DELETE registry':
        return this.#reset();
      case 'GET faults':
        return json(faults.list().map(faultView));
      case 'POST faults':
        return this.#startFault(request);
      case 'DELETE faults':
        return this.#clear();
      case 'DELETE faults/:id':
        return faults.end(second) ? json({ ended: 1 }) : notFound;
      case 'DELETE instances/:id':
        return this.#end(request, 'removal');
      case 'POST instances/:id/expire':
        return third === 'expire' ? this.#end(request, 'lease') : notFound;
      case 'DELETE connections/idle':
        return json({ closed: faults.closeIdleConnections() });
      case 'DELETE connections/watchers':
        return this.#cutWatchers(request);
      case 'POST clock':
        return this.#advance(request);
      default:
        return (method === 'GET' && assetOf([first, second].filter(Boolean))) || this.#wrong(path);
    }
  }

  #service({ path: [, serviceId = ''], query }: PageRequest): Answer {
    const tenant = query.get('tenant') ?? undefined;
    for (const namespace of this.#parts.model.namespaces()) {
      const record = namespace.services.get(serviceId);
      const isAskedFor = tenant === undefined || tenant === namespace.name;
      if (record === undefined || !isAskedFor) continue;
      const schemaId = query.get('schema');
      return schemaId === null
        ? json(serviceDetails(namespace, record))
        : schemaText(record, schemaId);
    }
    return failure(404, 'No such service.');
  }

  #seed(): Answer {
    const headers = { 'Content-Disposition': 'attachment; filename="registry.json"' };
    return json(this.#parts.dump(), headers);
  }

  #wrong(path: readonly string[]): Answer {
    const allow = allowed.get(shapeOf(path));
    return allow === undefined ? notFound : plain(405, 'Method Not Allowed', { Allow: allow });
  }

  #startFault({ body, sent }: PageRequest): Answer {
    const { faults } = this.#parts;
    const request = readFault(jsonOf(body));
    if (request.kind === 'bad') return failure(400, 'No such fault.', request.issues);
    request.start(faults, sent);
    return json({ id: faults.lastId }, {}, 201);
  }

  #clear(): Answer {
    const { faults } = this.#parts;
    const ended = faults.list();
    for (const { id } of ended) faults.end(id);
    return json({ ended: ended.length });
  }

  #reset(): Answer {
    const { model, reset } = this.#parts;
    const ended = model.snapshot().length;
    reset();
    return json({ ended });
  }

  #cutWatchers({ query }: PageRequest): Answer {
    const how = query.get('how') ?? 'rst';
    if (how !== 'rst' && how !== 'fin')
      return failure(400, 'No watcher was cut.', ['how must be one of rst, fin']);
    return json({ closed: this.#parts.faults.cutWatchers(how) });
  }

  #end({ path: [, instanceId = ''], query }: PageRequest, how: EndedBy): Answer {
    const filter = {
      instanceId,
      serviceId: query.get('serviceId') ?? undefined,
      tenant: query.get('tenant') ?? undefined,
    };
    const ended = endInstances(this.#parts.model, filter, how);
    return ended === 0 ? failure(404, 'No such instance.') : json({ ended });
  }

  #advance({ body }: PageRequest): Answer {
    const { clock } = this.#parts;
    if (clock.advance === undefined)
      return failure(
        501,
        'The clock of this registry cannot be advanced: it has no advance() method.',
      );
    const issues: string[] = [];
    const reader = new BodyReader(jsonOf(body), issues);
    const ms = reader.integer('advanceMs', { min: 1, max: maxAdvanceMs });
    reader.refuseUnknown();
    if (issues.length > 0) return failure(400, 'The clock was not advanced.', issues);
    clock.advance(ms);
    return json({ now: clock.now() });
  }
}

/** Allowed methods of each path. */
const allowed: ReadonlyMap<string, string> = new Map([
  ['', 'GET, HEAD'],
  ['registry', 'GET, HEAD, DELETE'],
  ['seed', 'GET, HEAD'],
  ['services/:id', 'GET, HEAD'],
  ['events', 'GET'],
  ['faults', 'GET, HEAD, POST, DELETE'],
  ['faults/:id', 'DELETE'],
  ['instances/:id', 'DELETE'],
  ['instances/:id/expire', 'POST'],
  ['connections/idle', 'DELETE'],
  ['connections/watchers', 'DELETE'],
  ['clock', 'POST'],
]);

const redirectToPage: Answer = { status: 308, headers: { Location: prefix }, body: '' };

const notFound = failure(404, 'Not found.');

function failure(status: number, error: string, issues?: readonly string[]): Answer {
  return json({ error, issues }, {}, status);
}

/** A link in a browser carries neither a token nor a domain, which the registry's own route would ask for. */
function schemaText({ schemas }: ServiceRecord, schemaId: string): Answer {
  const schema = schemas.get(schemaId);
  if (schema === undefined) return failure(404, 'No such schema.');
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
  return { status: 200, headers, body: schema.content };
}

/** Replaces the ids in a path by `:id`. */
function shapeOf([first = '', second, third]: readonly string[]): string {
  if (second === undefined || first === 'connections')
    return [first, second].filter(Boolean).join('/');
  return [first, ':id', third].filter(Boolean).join('/');
}

function isRoute({ method, path }: PageRequest, route: string): boolean {
  return `${method} ${shapeOf(path)}` === route;
}

/** Returns undefined for a path that does not exist in any case. */
function segmentsOf(pathname: string): readonly string[] | undefined {
  const segments = pathname.slice(prefix.length).split('/');
  if (segments.length > 3) return undefined;
  try {
    return segments.map(segment => decodeURIComponent(segment));
  } catch {
    return undefined;
  }
}

/** Returns undefined for text that is not JSON; every reader rejects it. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Selects instances; an id alone may select several, of different services. */
interface InstanceFilter {
  readonly instanceId: string;
  readonly serviceId?: string | undefined;
  /** Name of the namespace: `domain/project`. */
  readonly tenant?: string | undefined;
}

/** How an instance ends: removed, or as if its lease were over. */
export type EndedBy = 'removal' | 'lease';

/** Ends the selected instances, notifies watchers, and returns how many they were. */
function endInstances(model: RegistryModel, filter: InstanceFilter, how: EndedBy): number {
  const end = how === 'lease' ? expireInstance : unregisterInstance;
  let ended = 0;
  for (const namespace of model.namespaces()) {
    if (filter.tenant !== undefined && filter.tenant !== namespace.name) continue;
    for (const { service, instances } of namespace.services.all()) {
      const { serviceId } = service;
      if (filter.serviceId !== undefined && filter.serviceId !== serviceId) continue;
      // The Service Center's own instance has no lease and cannot be ended.
      if (instances.get(filter.instanceId)?.lease === undefined) continue;
      end(namespace, { serviceId, instanceId: filter.instanceId });
      ended += 1;
    }
  }
  return ended;
}
