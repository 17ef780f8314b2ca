import { describe, expect, it } from '@jest/globals';
import { profiles, resolveProfile } from '../../../lib/profiles/profile.js';
import { ErrorCode, RegistryError } from '../../../lib/model/registry-error.js';
import { adaptAnswer } from '../../../lib/profiles/profile-answers.js';
import { errorAnswer } from '../../../lib/api/answer.js';
import { TestRegistry } from '../../support/registry.js';
import type { TestRegistryOptions } from '../../support/registry.js';

const newer = ['cse-exclusive', 'cse-professional'] as const;
const clouds = [...newer, 'cse-legacy'] as const;
const ofTenant = { domain: 'tenant' };

/** The ids in the example of the older page, literally. */
const example = {
  project: 'd9f4da085f2c11e8959a00ff2d7c69b7',
  serviceId: 'e0f0da073f2c91e8979a89ff2d7c69t6',
  instanceId: 'com.huawei.instance.InstanceService',
};
const exampleLine =
  'PUT /v4/d9f4da085f2c11e8959a00ff2d7c69b7/registry/microservices/e0f0da073f2c91e8979a89ff2d7c69t6/instances/com.huawei.instance.InstanceService/heartbeat';

function withExample(options: TestRegistryOptions): TestRegistry {
  const registry = new TestRegistry(options);
  const { project, serviceId, instanceId } = example;
  const microservices = `/v4/${project}/registry/microservices`;
  const service = { serviceId, serviceName: 'orders' };
  const instance = { instanceId, hostName: 'h' };
  registry.ask(`POST ${microservices}`, { ...ofTenant, body: { service } });
  registry.ask(`POST ${microservices}/${serviceId}/instances`, { ...ofTenant, body: { instance } });
  return registry;
}

describe('the older page of the heartbeat', () => {
  const registry = withExample({ profile: 'cse-legacy' });

  it('has an example line that is answered 200 and Success', () => {
    const { status, text, headers } = registry.ask(exampleLine, ofTenant);
    expect([status, text]).toEqual([200, 'Success']);
    expect(headers['Content-Type']).toBe('text/plain; charset=UTF-8');
  });

  it.each([
    ['is missing', {}],
    ['is empty', { 'x-domain-name': '' }],
  ])('requires x-domain-name: 400 in its own format when it %s', (_, headers) => {
    const { status, text } = registry.ask(exampleLine, { headers });
    expect(status).toBe(400);
    expect(text).toBe('{"errCode":"400001","errMsg":"Invalid parameter(s)","detail":""}');
  });

  it.each([
    ['a serviceId of 65 characters', exampleLine.replace(example.serviceId, 's'.repeat(65))],
    ['an instanceId of 65 characters', exampleLine.replace(example.instanceId, 'i'.repeat(65))],
    ['an instanceId with other characters', exampleLine.replace(example.instanceId, 'a*b')],
  ])('refuses %s with 400001', (_, line) => {
    const { status, json } = registry.ask(line, ofTenant);
    expect(status).toBe(400);
    expect(json).toMatchObject({ errCode: '400001', errMsg: 'Invalid parameter(s)' });
  });

  it('takes a project, a serviceId and an instanceId of 64 characters', () => {
    const [project, serviceId, instanceId] = ['p', 's', 'i'].map(letter => letter.repeat(64));
    const line = `PUT /v4/${project}/registry/microservices/${serviceId}/instances/${instanceId}/heartbeat`;
    expect(registry.ask(line, ofTenant).json).toEqual({
      errCode: '400017',
      errMsg: 'Instance does not exist',
      detail: 'leaseId not exist, instance not exist',
    });
  });

  it('keeps tenants apart', () => {
    expect(registry.ask(exampleLine, { domain: 'other' }).status).toBe(400);
  });
});

describe.each(newer)('the page of 2024, as %s', profile => {
  const registry = withExample({ profile });
  const line = 'PUT /microservices/orders/instances/own/heartbeat';
  registry.service({ serviceId: 'orders' });
  registry.instance('orders', { instanceId: 'own' });

  it('wants no header and answers 200 without a body, in the project default', () => {
    expect(registry.ask(line)).toMatchObject({ status: 200, text: '' });
  });

  it("answers in a tenant's project as well", () => {
    expect(registry.ask(exampleLine, ofTenant)).toMatchObject({ status: 200, text: '' });
  });

  it('answers 400 with errorCode, errorMessage and detail', () => {
    const { status, json } = registry.ask(line.replace('own', 'other'));
    expect(status).toBe(400);
    expect(json).toEqual({
      errorCode: '400017',
      errorMessage: 'Instance does not exist',
      detail: 'leaseId not exist, instance not exist',
    });
  });
});

describe('the page of 2024, with security authentication', () => {
  const registry = new TestRegistry({
    profile: 'cse-exclusive',
    rbac: { rootPassword: 'Secret-1234' },
  });
  const line = 'PUT /microservices/orders/instances/own/heartbeat';
  const body = { name: 'root', password: 'Secret-1234' };
  const { token } = JSON.parse(registry.ask('POST /v4/token', { body }).text) as { token: string };
  const options = { headers: { authorization: `Bearer ${token}` } };
  registry.service({ serviceId: 'orders' }, options);
  registry.instance('orders', { instanceId: 'own' }, options);

  it('wants Authorization:Bearer {Token}', () => {
    expect(registry.ask(line, options)).toMatchObject({ status: 200, text: '' });
    const { status, json } = registry.ask(line);
    expect(status).toBe(401);
    expect(json).toMatchObject({ errorCode: '401204' });
  });

  it('answers readiness without a domain', () => {
    expect(registry.ask('GET /health/readiness').status).toBe(200);
  });

  it('may be refused in the format of another profile', () => {
    const rbac = { rootPassword: 'Secret-1234' };
    const older = new TestRegistry({ profile: 'cse-legacy', rbac });
    expect(older.ask(line, ofTenant).json).toMatchObject({ errCode: '401204' });
  });
});

describe('what a cloud says when its store is away', () => {
  const away = errorAnswer(new RegistryError(ErrorCode.RegistryUnavailable, 'etcd is away'));
  const request = { method: 'PUT', target: '/', headers: {}, body: Buffer.alloc(0) };
  const answerOf = (profile: (typeof profiles)[number]) =>
    adaptAnswer(resolveProfile(profile), request, away);

  it.each(newer)('is 400 and 400011 of %s', profile => {
    const { status, body } = answerOf(profile);
    expect(status).toBe(400);
    expect(body).toBe(
      '{"errorCode":"400011","errorMessage":"ErrUnavailableBackend","detail":"etcd is away"}',
    );
  });

  it('is 400 and 400011 in the format of the older API', () => {
    const { status, body } = answerOf('cse-legacy');
    expect(status).toBe(400);
    expect(body).toBe(
      '{"errCode":"400011","errMsg":"ErrUnavailableBackend","detail":"etcd is away"}',
    );
  });

  it("is 500 and 500011 of Apache's", () => {
    const { status, body } = answerOf('open-source');
    expect(status).toBe(500);
    expect(body).toContain('"errorCode":"500011"');
  });
});

describe('a write to a store that is down', () => {
  it.each([
    ['cse-exclusive', { errorCode: '400011', errorMessage: 'ErrUnavailableBackend' }],
    ['cse-legacy', { errCode: '400011', errMsg: 'ErrUnavailableBackend' }],
    ['open-source', { errorCode: '500011', errorMessage: 'Registry service is unavailable' }],
  ] as const)('is refused by %s in its own words', (profile, error) => {
    const registry = new TestRegistry({ profile, oddities: { storeDown: true } });
    const body = { service: { serviceName: 'orders' } };
    const { json } = registry.ask('POST /microservices', { ...ofTenant, body });
    expect(json).toMatchObject(error);
  });
});

describe('readiness', () => {
  it.each(clouds)('is served by %s for every sender', profile => {
    const { status, text } = new TestRegistry({ profile }).ask('GET /health/readiness');
    expect(status).toBe(200);
    expect(text).toBe('');
  });

  it("is unknown to Apache's", () => {
    expect(new TestRegistry().ask('GET /health/readiness')).toMatchObject({
      status: 404,
      text: '404 page not found\n',
    });
  });
});

describe('the gateway of a cloud', () => {
  const unpublished = {
    error_code: 'APIGW.0101',
    error_msg: 'The API does not exist or has not been published in the environment',
    request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  };

  it.each(['cse-professional', 'cse-legacy'] as const)(
    'answers for %s what nobody published: a path, or a method of one',
    profile => {
      const registry = new TestRegistry({ profile });
      for (const line of ['GET /nowhere', 'PUT /instances'])
        expect(registry.ask(line, ofTenant)).toMatchObject({ status: 404, json: unpublished });
    },
  );

  it('stands before no exclusive engine', () => {
    const registry = new TestRegistry({ profile: 'cse-exclusive' });
    expect(registry.ask('GET /nowhere').text).toBe('404 page not found\n');
    expect(registry.ask('PUT /instances').status).toBe(405);
  });

  it('leaves alone what Service Center itself does not find', () => {
    const registry = new TestRegistry({ profile: 'cse-professional' });
    expect(registry.ask('GET /microservices/none').json.errorCode).toBe('400012');
  });
});

describe('the older form', () => {
  const registry = new TestRegistry({ profile: 'cse-legacy' });
  const options = { domain: 'tenant' };
  const serviceId = registry.service({}, options);
  const instanceId = registry.instance(serviceId, {}, options);
  const instance = `/microservices/${serviceId}/instances/${instanceId}`;

  it.each([
    ['PUT', `${instance}/status?value=DOWN`, undefined],
    ['PUT', `${instance}/properties`, { properties: { zone: 'a' } }],
    ['PUT', `/microservices/${serviceId}/properties`, { properties: { zone: 'a' } }],
    ['DELETE', instance, undefined],
    ['DELETE', `/microservices/${serviceId}`, undefined],
  ])('says Success to %s %s', (method, path, body) => {
    expect(registry.ask(`${method} ${path}`, { ...options, body })).toMatchObject({
      status: 200,
      text: 'Success',
    });
  });

  it('says what there is to say, and no Success, where an answer has a body', () => {
    const body = { instances: [{ serviceId: 'none', instanceId: 'none' }] };
    expect(registry.ask('PUT /heartbeats', { ...options, body }).text).toMatch(/^\{"instances":/);
  });

  it.each(['GET /version', 'GET /health', 'GET /health/readiness'])(
    'wants no x-domain-name for %s',
    line => {
      expect(registry.ask(line).status).toBe(200);
    },
  );

  it.each(['GET /microservices', 'GET /v4/default/govern/apps', 'GET /v4/default/admin/dump'])(
    'wants x-domain-name for %s',
    line => {
      expect(registry.ask(line).json).toMatchObject({ errCode: '400001', detail: '' });
      expect(registry.ask(line, options).status).toBe(200);
    },
  );

  it('complains about a suspicious target in its own format too', () => {
    const { text } = registry.askTarget('GET', '/v4/default/registry/microservices?');
    expect(text).toMatch(/^Invalid Request URI .*\{"errCode":"400001"/);
  });
});

describe('a find of the older form', () => {
  const registry = new TestRegistry({ profile: 'cse-legacy' });
  for (const version of ['1.0.0', '1.2.0', '1.10.0', '2.0.0'])
    registry.instance(
      registry.service({ version }, ofTenant),
      { instanceId: version, hostName: 'h' },
      ofTenant,
    );
  const find = (version: string) =>
    registry.ask(
      `GET /instances?appId=default&serviceName=orders&version=${encodeURIComponent(version)}`,
      ofTenant,
    );
  const batch = (version?: string) => {
    const service = { appId: 'default', serviceName: 'orders', version };
    const body = { services: [{ service }] };
    return registry.ask('POST /instances/action?type=query', { ...ofTenant, body });
  };

  it.each([
    ['1.2.0', ['1.2.0']],
    ['1.2.0+', ['1.2.0', '1.10.0', '2.0.0']],
    ['latest', ['2.0.0']],
    ['1.0.0-2.0.0', ['1.0.0', '1.2.0', '1.10.0']],
    ['2.0.0-1.2', ['1.2.0', '1.10.0']],
    ['0.0.0+', ['1.0.0', '1.2.0', '1.10.0', '2.0.0']],
  ])('heeds the version rule %s', (rule, versions) => {
    expect(find(rule).json.instances.map(({ instanceId }) => instanceId)).toEqual(versions);
  });

  it('knows no provider where no version fits', () => {
    expect(find('3.0.0+').json).toMatchObject({ errCode: '400012' });
  });

  it.each(['', '1.x', 'newest'])('refuses the version rule "%s"', rule => {
    expect(find(rule).json).toMatchObject({
      errCode: '400001',
      detail: expect.stringContaining(`'FindInstancesRequest.VersionRule' invalid value '${rule}'`),
    });
  });

  it('heeds version rules in a batch, and refuses a batch without', () => {
    expect(batch('latest').text).toContain('"version":"2.0.0"');
    expect(batch('latest').text).not.toContain('"version":"1.0.0"');
    expect(batch().json).toMatchObject({ errCode: '400001' });
  });

  it.each(['open-source', ...newer] as const)(
    'is not one of %s: version is passed over',
    profile => {
      const other = new TestRegistry({ profile });
      other.instance(other.service({ version: '1.0.0' }));
      const path = '/instances?appId=default&serviceName=orders';
      expect(other.ask(`GET ${path}`).json.instances).toHaveLength(1);
      expect(other.ask(`GET ${path}&version=3.0.0%2B`).json.instances).toHaveLength(1);
    },
  );
});

describe('a form', () => {
  it.each(profiles)('of %s is what the profile says, part by part', profile => {
    expect(resolveProfile(profile, { errorFields: undefined })).toEqual(resolveProfile(profile));
  });

  it('may differ from its profile in one part', () => {
    const registry = new TestRegistry({ profileOverrides: { errorFields: 'errCode' } });
    expect(registry.ask('GET /microservices/none').json).toMatchObject({ errCode: '400012' });
    const other = new TestRegistry({
      profile: 'cse-legacy',
      profileOverrides: { domainRequired: false },
    });
    expect(other.ask('GET /microservices').status).toBe(200);
  });

  it.each([
    ['minHeartbeatMs', -1],
    ['registrationsPerSecond', Number.NaN],
  ])('refuses %s of %d', (part, value) => {
    expect(() => resolveProfile('open-source', { [part]: value })).toThrow(
      `profileOverrides.${part} must be 0 or more, got ${value}`,
    );
  });

  it('refuses a profile that there is not', () => {
    expect(() => resolveProfile('cse' as 'cse-legacy')).toThrow(
      'profile must be one of open-source, cse-exclusive, cse-professional, cse-legacy, got "cse"',
    );
  });
});
