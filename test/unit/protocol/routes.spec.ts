import { describe, expect, it } from '@jest/globals';
import { fc } from '../../support/fast-check.js';
import { pathOf, routes } from '../../../lib/protocol/routes.js';

const parameters = { project: 'p', serviceId: 's', instanceId: 'i', schemaId: 'c' };

describe('a path', () => {
  it.each([
    ['getVersion', 'GET /v4/p/registry/version'],
    ['getHealth', 'GET /v4/p/registry/health'],
    ['getExistence', 'GET /v4/p/registry/existence'],
    ['registerMicroservice', 'POST /v4/p/registry/microservices'],
    ['listMicroservices', 'GET /v4/p/registry/microservices'],
    ['getMicroservice', 'GET /v4/p/registry/microservices/s'],
    ['unregisterMicroservice', 'DELETE /v4/p/registry/microservices/s'],
    ['setMicroserviceProperties', 'PUT /v4/p/registry/microservices/s/properties'],
    ['getTags', 'GET /v4/p/registry/microservices/s/tags'],
    ['setTags', 'POST /v4/p/registry/microservices/s/tags'],
    ['listSchemas', 'GET /v4/p/registry/microservices/s/schemas'],
    ['replaceSchemas', 'POST /v4/p/registry/microservices/s/schemas'],
    ['getSchema', 'GET /v4/p/registry/microservices/s/schemas/c'],
    ['setSchema', 'PUT /v4/p/registry/microservices/s/schemas/c'],
    ['removeSchema', 'DELETE /v4/p/registry/microservices/s/schemas/c'],
    ['registerInstance', 'POST /v4/p/registry/microservices/s/instances'],
    ['listInstances', 'GET /v4/p/registry/microservices/s/instances'],
    ['getInstance', 'GET /v4/p/registry/microservices/s/instances/i'],
    ['unregisterInstance', 'DELETE /v4/p/registry/microservices/s/instances/i'],
    ['setInstanceProperties', 'PUT /v4/p/registry/microservices/s/instances/i/properties'],
    ['setInstanceStatus', 'PUT /v4/p/registry/microservices/s/instances/i/status'],
    ['heartbeat', 'PUT /v4/p/registry/microservices/s/instances/i/heartbeat'],
    ['heartbeats', 'PUT /v4/p/registry/heartbeats'],
    ['findInstances', 'GET /v4/p/registry/instances'],
    ['queryInstances', 'POST /v4/p/registry/instances/action'],
    ['listProviders', 'GET /v4/p/registry/microservices/s/providers'],
    ['listConsumers', 'GET /v4/p/registry/microservices/s/consumers'],
  ] as const)('of %s is %s', (name, line) => {
    expect(`${routes[name].method} ${pathOf(routes[name], parameters)}`).toBe(line);
  });

  it.each(['', '.', '..'])('refuses %j as any part', value => {
    for (const name of ['project', 'serviceId', 'schemaId'])
      expect(() => pathOf(routes.setSchema, { ...parameters, [name]: value })).toThrow(RangeError);
  });

  it('refuses a part that is missing', () => {
    expect(() => pathOf(routes.getMicroservice, { project: 'p' })).toThrow(
      'serviceId must not be empty, "." or "..", got ""',
    );
  });

  it('keeps each part one segment that URL clients leave alone', () => {
    const part = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 64 })
      .filter(text => text !== '.' && text !== '..');
    fc.assert(
      fc.property(part, part, (project, serviceId) => {
        const path = pathOf(routes.getMicroservice, { project, serviceId });
        const segments = new URL(path, 'http://a:1').pathname.split('/').map(decodeURIComponent);
        expect(segments).toEqual(['', 'v4', project, 'registry', 'microservices', serviceId]);
      }),
    );
  });
});
