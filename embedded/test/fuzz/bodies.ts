import type { Random } from './random.js';
import { json, knownIds, text } from './strange-values.js';

/** Returns a random JSON value as text. */
type Draw = (random: Random) => string;

const texts = listOf(quoted);
const map: Draw = random => {
  const entries = random.several(3, () => `${quoted(random)}:${drawn(random, quoted)}`);
  return `{${entries.join(',')}}`;
};
const flag: Draw = random => random.pick(['true', 'false']);

const key = objectOf({
  environment: maybe(just('testing')),
  appId: quoted,
  serviceName: quoted,
  version: just('1.0.0'),
});

const service = objectOf({
  serviceId: maybe(quoted),
  appId: maybe(just('shop')),
  serviceName: quoted,
  version: maybe(just('1.0.0')),
  alias: maybe(quoted),
  level: maybe(just('BACK')),
  status: maybe(just('UP')),
  environment: maybe(just('testing')),
  schemas: maybe(texts),
  paths: maybe(listOf(objectOf({ path: quoted, property: map }))),
  properties: maybe(map),
  providers: maybe(listOf(key)),
  LBStrategy: maybe(map),
  framework: maybe(objectOf({ name: quoted, version: quoted })),
});

const instance = objectOf({
  instanceId: maybe(quoted),
  serviceId: maybe(quoted),
  hostName: just('host'),
  endpoints: maybe(texts),
  status: maybe(just('UP')),
  properties: maybe(map),
  healthCheck: maybe(
    objectOf({
      mode: just('push'),
      port: below(70_000),
      interval: below(100),
      times: below(10),
      url: quoted,
    }),
  ),
  dataCenterInfo: maybe(objectOf({ name: quoted, region: quoted, availableZone: quoted })),
});

const ref = objectOf({ serviceId: quoted, instanceId: quoted });
const schema = objectOf({ schemaId: quoted, schema: quoted, summary: quoted });
const dependency = objectOf({ consumer: key, providers: listOf(key), override: flag });

/** Documents that each route reads, by the end of its path. */
const documents: readonly (readonly [ending: RegExp, draw: Draw])[] = [
  [/microservices$/, objectOf({ service, tags: maybe(map), instances: maybe(listOf(instance)) })],
  [/microservices$/, objectOf({ serviceIds: texts, force: flag })],
  [/:serviceId\/instances$/, objectOf({ instance })],
  [/properties$/, objectOf({ properties: map })],
  [/instances\/status$/, objectOf({ properties: map, status: quoted })],
  [/tags$/, objectOf({ tags: map })],
  [/schemas\/:schemaId$/, schema],
  [/schemas$/, objectOf({ schemas: listOf(schema) })],
  [/heartbeats$/, objectOf({ instances: listOf(ref) })],
  [
    /action$/,
    objectOf({
      consumerServiceId: maybe(quoted),
      services: maybe(listOf(objectOf({ service: key, rev: quoted }))),
      instances: maybe(listOf(objectOf({ instance: ref, rev: quoted }))),
    }),
  ],
  [/dependencies$/, objectOf({ dependencies: listOf(dependency) })],
];

/** Returns a body that is valid for this route, valid for another one, or broken. */
export function body(random: Random, path: string): Buffer {
  if (random.percent(5)) return Buffer.alloc(0);
  if (random.percent(5)) return Buffer.from(json(random));
  const fitting = documents.filter(([ending]) => ending.test(path) || random.percent(1));
  const [, draw] = fitting[random.below(fitting.length)] ?? [undefined, json];
  const document = Buffer.from(draw(random));
  return random.percent(15) ? broken(random, document) : document;
}

/** Returns bytes that are truncated, changed or extended; often not even UTF-8. */
export function broken(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const before = bytes.subarray(0, at);
  switch (random.below(4)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, random.bytes(3), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([before, random.bytes(1), bytes.subarray(at + 1)]);
    default:
      return Buffer.concat([bytes, random.bytes(random.below(20))]);
  }
}

/** Most texts are harmless, because a body with many strange ones would never be accepted. */
function quoted(random: Random): string {
  return JSON.stringify(random.percent(85) ? random.pick(knownIds) : text(random));
}

function just(value: string): Draw {
  return () => JSON.stringify(value);
}

function below(bound: number): Draw {
  return random => String(random.below(bound));
}

function maybe(draw: Draw): Draw {
  return random => (random.percent(50) ? draw(random) : 'null');
}

function listOf(draw: Draw): Draw {
  return random => `[${random.several(3, () => drawn(random, draw)).join(',')}]`;
}

function objectOf(fields: Readonly<Record<string, Draw>>): Draw {
  return random => {
    const parts = Object.entries(fields)
      .filter(() => random.percent(97))
      .map(
        ([name, draw]) =>
          `"${random.percent(98) ? name : name.toUpperCase()}":${drawn(random, draw)}`,
      );
    return `{${parts.join(',')}}`;
  };
}

/** Now and then replaces a value by an arbitrary one. */
function drawn(random: Random, draw: Draw): string {
  return random.percent(1) ? json(random) : draw(random);
}
