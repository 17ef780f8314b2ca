import { RequestMethod, type Type } from '@nestjs/common';
import * as nest from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { AxiosRequestConfig } from 'axios';

/** A method of a client class, as Nest's own decorators describe it. */
export interface ClientRoute {
  /** `GreeterClient.hello()`, for messages. */
  readonly title: string;
  readonly verb: (typeof verbs)[number];
  /** Begins with a slash; `:name` stands for a parameter. */
  readonly path: string;
  /** Where each argument goes, in their order. */
  readonly places: readonly Place[];
}

interface Place {
  readonly part: Part;
  /** undefined for a decorator without a name: the argument is all of that part. */
  readonly name: string | undefined;
}

type Part = 'param' | 'query' | 'header' | 'body';

const verbs = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;

const parts: ReadonlyMap<unknown, Part> = new Map([
  [String(RouteParamtypes.PARAM), 'param'],
  [String(RouteParamtypes.QUERY), 'query'],
  [String(RouteParamtypes.HEADERS), 'header'],
  [String(RouteParamtypes.BODY), 'body'],
]);

/** Decorators that mean something to a server only. */
const serverSide: readonly (readonly [key: string, decorator: string])[] = [
  [nest.HTTP_CODE_METADATA, '@HttpCode()'],
  [nest.HEADERS_METADATA, '@Header()'],
  [nest.REDIRECT_METADATA, '@Redirect()'],
  [nest.RENDER_METADATA, '@Render()'],
  [nest.SSE_METADATA, '@Sse()'],
  [nest.VERSION_METADATA, '@Version()'],
  [nest.GUARDS_METADATA, '@UseGuards()'],
  [nest.INTERCEPTORS_METADATA, '@UseInterceptors()'],
  [nest.PIPES_METADATA, '@UsePipes()'],
  [nest.EXCEPTION_FILTERS_METADATA, '@UseFilters()'],
];

const parameter = /:([A-Za-z_$][\w$]*)/g;

/** Names of the methods of a class, inherited ones included. */
export function methodsOf(client: Type<object>): readonly string[] {
  const names = new Set<string>();
  let level: object | null = client.prototype;
  for (; level !== null && level !== Object.prototype; level = Object.getPrototypeOf(level))
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level)))
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
  return [...names];
}

/** Reads the decorators of a method; passes each mistake to `reject`. */
export function readRoute(
  client: Type<object>,
  name: string,
  prefix: string,
  reject: (mistake: string) => void,
): ClientRoute | undefined {
  const method: object = Reflect.get(client.prototype, name);
  const path: unknown = Reflect.getMetadata(nest.PATH_METADATA, method);
  if (path === undefined) {
    reject('has no @Get(), @Post(), @Put() or the like');
    return undefined;
  }
  const verb = verbOf(Reflect.getMetadata(nest.METHOD_METADATA, method));
  if (verb === undefined || typeof path !== 'string') {
    reject(`must have one path and one of the methods ${verbs.join(', ')}`);
    return undefined;
  }
  for (const [key, decorator] of serverSide)
    if (Reflect.hasMetadata(key, method)) reject(`has ${decorator}, which only a server can honor`);
  const route = {
    title: `${client.name}.${name}()`,
    verb,
    path: join(prefix, path),
    places: readPlaces(client, name, reject),
  };
  for (const mistake of mistakesOf(route)) reject(mistake);
  return route;
}

function verbOf(method: unknown): ClientRoute['verb'] | undefined {
  return verbs.find(verb => RequestMethod[verb] === method);
}

function join(...paths: readonly string[]): string {
  const trimmed = paths.map(path => path.replaceAll(/^\/+|\/+$/g, ''));
  return `/${trimmed.filter(path => path !== '').join('/')}`;
}

interface Decorated extends Place {
  readonly index: number;
}

function readPlaces(
  client: Type<object>,
  name: string,
  reject: (mistake: string) => void,
): readonly Place[] {
  const metadata: unknown = Reflect.getMetadata(nest.ROUTE_ARGS_METADATA, client, name);
  const found = Object.entries(metadata ?? {}).map(([key, decorated]: [string, unknown]) =>
    readPlace(key, Object(decorated), reject),
  );
  const declared: unknown = Reflect.get(Object(Reflect.get(client.prototype, name)), 'length');
  const last = Math.max(Number(declared) - 1, ...found.map(({ index }) => index));
  return Array.from({ length: last + 1 }, (_, index): Place => {
    const [place, ...others] = found.filter(other => other.index === index);
    if (place === undefined || others.length > 0)
      reject(`must have one decorator for parameter ${index + 1}`);
    return place ?? { part: 'query', name: undefined };
  });
}

/** Reads one decorator of a parameter: the key is `3:0` for `@Body()` at index 0. */
function readPlace(key: string, decorated: object, reject: (mistake: string) => void): Decorated {
  const { index, data, pipes, schema }: Record<string, unknown> = { ...decorated };
  const at = `parameter ${Number(index) + 1}`;
  const part = parts.get(key.split(':')[0]);
  if (part === undefined)
    reject(`must have @Param(), @Query(), @Headers() or @Body() for ${at}, and no other decorator`);
  if (schema !== undefined || (Array.isArray(pipes) && pipes.length > 0))
    reject(`has a pipe or a schema at ${at}, which only a server can honor`);
  const name = typeof data === 'string' && data !== '' ? data : undefined;
  return { index: Number(index), part: part ?? 'query', name };
}

function* mistakesOf({ verb, path, places }: Omit<ClientRoute, 'title'>): Iterable<string> {
  const literal = path.replaceAll(parameter, '');
  if (/[?#*{}()[\]+!\\:\s]/.test(literal) || hasDots(path))
    yield `must have a path of plain text and names like :id, but it is ${JSON.stringify(path)}`;

  const inPath = new Set([...path.matchAll(parameter)].map(([, name = '']) => name));
  const params = places.filter(({ part }) => part === 'param').map(({ name }) => name);
  for (const name of params)
    if (name !== undefined && !inPath.has(name))
      yield `has @Param('${name}'), but its path "${path}" has no :${name}`;
  for (const name of inPath)
    if (!params.includes(name) && !params.includes(undefined))
      yield `has :${name} in its path, but no @Param('${name}')`;

  const bodies = places.filter(({ part }) => part === 'body');
  if (bodies.length > 1 && bodies.some(({ name }) => name === undefined))
    yield 'has a @Body() of all beside another one';
  if (bodies.length > 0 && (verb === 'GET' || verb === 'HEAD'))
    yield `has a @Body(), but a ${verb} has none`;
  const keys = places.map(({ part, name = '' }) =>
    part === 'header' ? `${part} ${name.toLowerCase()}` : `${part} ${name}`,
  );
  for (const [index, { part, name }] of places.entries())
    if (name !== undefined && keys.indexOf(keys[index] ?? '') < index)
      yield `has two parameters for the ${part} "${name}"`;
}

/** Whether a URL would be shortened by a segment `.` or `..`. */
function hasDots(path: string): boolean {
  return path.split('/').some(segment => segment === '.' || segment === '..');
}

/**
 * Returns the request that these arguments make.
 * @throws TypeError when an argument cannot go where its decorator says
 */
export function requestOf(route: ClientRoute, args: readonly unknown[]): AxiosRequestConfig {
  if (args.length !== route.places.length)
    throw new TypeError(
      `${route.title} has ${route.places.length} parameters, but passes ${args.length} to remote()`,
    );
  const values = {
    param: valuesOf(route, 'param', args),
    query: valuesOf(route, 'query', args),
    header: valuesOf(route, 'header', args),
  };
  const headers = headersOf(route, values.header);
  return {
    method: route.verb,
    url: fill(route, values.param),
    params: Object.fromEntries(values.query),
    // A list repeats its name, which every kind of provider reads.
    paramsSerializer: { indexes: null },
    ...withBody(bodyOf(route, args), headers),
  };
}

/** Returns what goes to a part of the request by name: a name that stands alone wins over the same one in an object. */
function valuesOf(
  { title, places }: ClientRoute,
  part: Part,
  args: readonly unknown[],
): ReadonlyMap<string, unknown> {
  const given = places.flatMap((place, index) =>
    place.part === part ? [{ name: place.name, value: args[index] }] : [],
  );
  const all = given.filter(({ name }) => name === undefined);
  const single = given.flatMap(({ name, value }): [string, unknown][] =>
    name === undefined ? [] : [[name, value]],
  );
  return new Map([
    ...all.flatMap(({ value }) => entriesOf(value, `${title}: the ${part} object`)),
    ...single,
  ]);
}

function entriesOf(value: unknown, title: string): readonly [string, unknown][] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object' || Symbol.iterator in value)
    throw new TypeError(`${title} must be an object of names and values`);
  return Object.entries(value);
}

function fill({ title, path }: ClientRoute, values: ReadonlyMap<string, unknown>): string {
  const filled = path.replaceAll(parameter, (_, name: string) => {
    const text = textOf(values.get(name), `${title}: :${name}`);
    if (text === '') throw new TypeError(`${title}: :${name} must not be empty`);
    return encodeURIComponent(text);
  });
  if (hasDots(filled))
    throw new TypeError(
      `${title}: "${filled}" would be another path: a URL has no segment of dots`,
    );
  return filled;
}

function textOf(value: unknown, title: string): string {
  if (value instanceof Date) return value.toISOString();
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'undefined':
    case 'object':
    case 'function':
    case 'symbol':
      throw new TypeError(`${title} must be a text, a number, a boolean or a date`);
  }
}

function headersOf(
  { title }: ClientRoute,
  values: ReadonlyMap<string, unknown>,
): Readonly<Record<string, string>> {
  const given = [...values].filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(
    given.map(([name, value]) => {
      const text = textOf(value, `${title}: the header ${name}`);
      // Axios would take such characters out.
      if (!/^[\t\u0020-\u007E\u0080-\u00FF]*$/.test(text))
        throw new TypeError(`${title}: the header ${name} has a character that no header can have`);
      return [name, text];
    }),
  );
}

function bodyOf({ places }: ClientRoute, args: readonly unknown[]): unknown {
  const fields = places.flatMap(({ part, name }, index) =>
    part === 'body' ? [[name, args[index]] as const] : [],
  );
  const whole = fields.find(([name]) => name === undefined);
  if (whole !== undefined) return whole[1];
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** Axios writes objects as JSON. Other values are written here, since it would send a text as a form. */
function withBody(
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Pick<AxiosRequestConfig, 'data' | 'headers'> {
  if (body === undefined) return { headers };
  const hasType = Object.keys(headers).some(name => name.toLowerCase() === 'content-type');
  const isObject = typeof body === 'object' && body !== null;
  if (isObject || (typeof body === 'string' && hasType)) return { headers, data: body };
  return {
    headers: { 'content-type': 'application/json', ...headers },
    data: JSON.stringify(body),
  };
}
