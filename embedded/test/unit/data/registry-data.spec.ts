import { describe, expect, it } from '@jest/globals';
import { EmbeddedServiceCenter, RegistryDataError } from '../../../lib/index.js';
import type { RegistryData } from '../../../lib/index.js';
import { dataOf } from '../../../lib/data/dump.js';
import { load } from '../../../lib/data/load.js';
import { FakeClock, TestRegistry } from '../../support/registry.js';

/** Returns another registry that has loaded a document, a day later. */
function restored(document: unknown): TestRegistry {
  const registry = new TestRegistry();
  registry.clock.advance(86_400_000);
  load(registry.model, document);
  return registry;
}

/** Returns a document after it was written to a file and read again. */
function filed(registry: TestRegistry): unknown {
  return JSON.parse(JSON.stringify(dataOf(registry.model)));
}

function issuesOf(document: unknown, registry = new TestRegistry()): readonly string[] {
  try {
    load(registry.model, document);
    return [];
  } catch (error) {
    if (error instanceof RegistryDataError) return error.issues;
    throw error;
  }
}

/** Returns a document with one service, partly changed. */
function seed(service: object = {}, rest: object = {}): object {
  return { format: 1, services: [{ service: { serviceName: 'orders', ...service }, ...rest }] };
}

function populated(): TestRegistry {
  const registry = new TestRegistry();
  const consumerId = registry.service({
    serviceName: 'web',
    version: '2.0.0',
    environment: 'testing',
    alias: 'front',
    framework: { name: 'nest', version: '12' },
    properties: { ['__proto__']: 'x', allowCrossApp: 'true' },
    paths: [{ path: '/a', property: { b: 'c' } }],
    LBStrategy: { kind: 'random' },
  });
  registry.service({ serviceId: 'chosen', environment: 'testing' });
  registry.service({ serviceName: 'far' }, { domain: 'tenant' });
  const path = '/microservices/chosen';
  registry.ask(`POST ${path}/tags`, { body: { tags: { zone: 'a' } } });
  const schema = { schemaId: 'api', schema: 'openapi: 3', summary: 'abc' };
  registry.ask(`PUT ${path}/schemas/api`, { body: schema });
  registry.instance('chosen', {
    instanceId: 'own',
    endpoints: ['rest://10.0.0.7:3000'],
    properties: { canary: 'no' },
    healthCheck: { mode: 'push', interval: 20, times: 4 },
    dataCenterInfo: { name: 'dc', region: 'r', availableZone: 'z' },
  });
  registry.instance('chosen', { healthCheck: { mode: 'pull', port: 80, url: '/h' } });
  registry.ask('GET /instances?appId=default&serviceName=orders&env=testing', { consumerId });
  registry.clock.advance(5000);
  registry.ask(`PUT ${path}/instances/own/status?value=TESTING`);
  return registry;
}

describe('what a registry has', () => {
  it('is the same after it was dumped to a file and loaded', () => {
    const before = populated();
    const data = filed(before);
    const { revision: _, ...services } = filed(restored(data)) as RegistryData;
    const { revision: __, ...wanted } = data as RegistryData;
    expect(wanted.services).toHaveLength(3);
    expect(services).toEqual(wanted);
  });

  it('need not be a file between the dump and the load', () => {
    const before = populated();
    expect(filed(restored(dataOf(before.model)))).toMatchObject({
      services: dataOf(before.model).services.map(({ domain }) => ({ domain })),
    });
  });

  it('answers as before, down to the moments at which records were written', () => {
    const before = populated();
    const after = restored(filed(before));
    for (const line of [
      'GET /microservices',
      'GET /microservices/chosen/tags',
      'GET /microservices/chosen/schemas?withSchema=1',
      'GET /microservices/chosen/instances',
      'GET /microservices/chosen/consumers',
    ])
      expect(after.ask(line).json).toEqual(before.ask(line).json);
  });

  it('does not hold the Service Center itself, which is there anyway', () => {
    const registry = new TestRegistry();
    expect(filed(registry)).toEqual({ format: 1, revision: 0, services: [] });
  });

  it('keeps a status that only the unchecked write takes, and the lack of one', () => {
    const before = populated();
    const write = (status: string) => {
      const body = { matches: { properties: { canary: 'no' } }, status };
      before.ask('PUT /instances/status', { body });
    };
    write('RESTING');
    expect(restored(filed(before)).read('chosen', 'own').status).toBe('RESTING');
    write('');
    expect(restored(filed(before)).read('chosen', 'own').status).toBeUndefined();
  });

  it('has its leases in full once it is loaded', () => {
    const after = restored(filed(populated()));
    after.clock.advance(99_999);
    expect(after.beat('chosen', 'own')).toBe(200);
    after.clock.advance(100_000);
    expect(after.beat('chosen', 'own')).toBe(400);
  });

  it('has revisions that no client has seen before', () => {
    const before = populated();
    const line = 'GET /microservices/chosen/instances';
    const after = restored(filed(before));
    const revisionIn = (registry: TestRegistry) =>
      registry.ask(line).headers['X-Resource-Revision'];
    expect(revisionIn(after)).not.toBe(revisionIn(before));
    expect(after.model.revision).toBeGreaterThan(before.model.revision);
  });

  it('watches no instance whose lease had ended', () => {
    const before = populated();
    before.clock.advance(3_600_000);
    expect(JSON.stringify(filed(before))).not.toContain('own');
  });
});

describe('a document written by hand', () => {
  const registry = restored(
    seed(
      {},
      {
        instances: [{ hostName: 'host-1', endpoints: ['rest://10.0.0.7:3000'] }],
        dependsOn: [{ serviceName: 'stock' }],
      },
    ),
  );

  it('gets what a registration gets', () => {
    const { services } = dataOf(registry.model);
    const now = String(Math.floor(registry.clock.now() / 1000));
    expect(services).toMatchObject([
      {
        domain: 'default',
        project: 'default',
        service: { appId: 'default', version: '0.0.1', level: 'BACK', timestamp: now },
        instances: [
          {
            instanceId: expect.stringMatching(/^[0-9a-f]{32}$/),
            status: 'UP',
            healthCheck: { mode: 'push', interval: 30, times: 3 },
            modTimestamp: now,
          },
        ],
        dependsOn: [{ appId: 'default', serviceName: 'stock' }],
      },
    ]);
  });

  it('has the id that the server would give', () => {
    const other = new TestRegistry();
    const [{ service } = {}] = dataOf(registry.model).services;
    expect(service?.serviceId).toBe(other.service());
  });

  it('may be loaded besides what is there', () => {
    load(registry.model, seed({ serviceName: 'stock' }));
    expect(dataOf(registry.model).services).toHaveLength(2);
  });
});

describe('a wrong document', () => {
  it('is refused with every issue at once', () => {
    const document = {
      format: 1,
      colour: 'red',
      services: [
        { service: { serviceName: 5, Version: '1' }, domain: '' },
        { instances: [{ endpoints: 'rest://h' }, 7] },
      ],
    };
    expect(issuesOf(document)).toEqual([
      'colour is not a known field',
      'services[0].service.serviceName must be a text, got 5',
      'services[0].service.Version is not a known field',
      'services[0].domain must be a text that is not empty, got ""',
      'services[1].instances[0].endpoints must be a list, got "rest://h"',
      'services[1].instances[0].hostName is missing',
      'services[1].instances[1] must be an object, got 7',
      'services[1].service is missing',
    ]);
  });

  it("is told what the registry's own rules say, for each record", () => {
    const issues = issuesOf({
      format: 1,
      services: [
        { service: { serviceName: 'a b' } },
        {
          service: { serviceName: 'orders' },
          tags: { '1': 'x' },
          schemas: { 'a b': { schema: 'x' } },
          instances: [{ hostName: 'h' }, { hostName: '' }],
        },
      ],
    });
    expect(issues).toEqual([
      expect.stringMatching(/^services\[0\]\.service: .*'MicroService\.ServiceName'.*'a b'/),
      expect.stringMatching(/^services\[1\]\.tags: .*'AddServiceTagsRequest\.Tags'/),
      expect.stringMatching(/^services\[1\]\.schemas\["a b"\]: .*SchemaId/),
      expect.stringMatching(/^services\[1\]\.instances\[1\]: .*HostName/),
    ]);
  });

  it.each([
    ['a text', 'registry', 'the document must be an object, got "registry"'],
    ['a list', [], 'the document must be an object, got []'],
    ['another format', { format: 2, services: [] }, 'format must be 1, got 2'],
    ['no services', { format: 1 }, 'services is missing'],
    ['a project with a slash', seed({}, { project: 'a/b' }), /^services\[0\]\.project must be/],
    ['a negative revision', { ...seed(), revision: -1 }, /^revision must be a whole number/],
    ['a moment that is none', seed({ timestamp: 'now' }), /timestamp must be seconds/],
    [
      'a list in an interval',
      seed({}, { instances: [{ hostName: 'h', healthCheck: { interval: [1] } }] }),
      /interval must be a whole number of 32 bits, got \[1\]/,
    ],
    ['a long text in its place', seed({ schemas: 'x'.repeat(100) }), /got "x{59}…$/],
    ['the Service Center itself', serviceCenterItself(), /a service with this id/],
  ])('may be %s', (_, document, issue) => {
    expect(issuesOf(document)).toEqual([
      typeof issue === 'string' ? issue : expect.stringMatching(issue),
    ]);
  });

  it('may have a service or an instance twice', () => {
    const one = { service: { serviceName: 'orders' }, instances: [{ hostName: 'h' }] };
    const own = { hostName: 'h', instanceId: 'own' };
    const twice = { service: { serviceName: 'web' }, instances: [own, own] };
    expect(issuesOf({ format: 1, services: [one, twice, one] })).toEqual([
      expect.stringMatching(
        /^services\[1\]\.instances\[1\]: .*instance with this id exists already/,
      ),
      expect.stringMatching(/^services\[2\]\.service: .*service with this id, name and version/),
    ]);
  });

  it('leaves a registry as it was', () => {
    const registry = populated();
    const before = filed(registry);
    expect(issuesOf(seed({}, { instances: [{ hostName: '' }] }), registry)).toHaveLength(1);
    expect(filed(registry)).toEqual(before);
  });

  it('says so in one message', () => {
    expect(() => load(new TestRegistry().model, { format: 1 })).toThrow(
      'The document is not valid registry data:\n- services is missing',
    );
  });
});

describe('an embedded Service Center', () => {
  it('loads what another one has dumped', () => {
    const clock = new FakeClock();
    const [one, other] = [
      new EmbeddedServiceCenter({ clock }),
      new EmbeddedServiceCenter({ clock }),
    ];
    one.load(seed({}, { instances: [{ hostName: 'h', instanceId: 'own' }] }));
    other.load(one.dump());
    expect(other.instances()).toMatchObject([{ instanceId: 'own', leaseRemainingMs: 120_000 }]);
  });
});

function serviceCenterItself(): object {
  return seed({ serviceName: 'SERVICECENTER', environment: 'development' });
}
