import { describe, expect, it } from '@jest/globals';
import { TestRegistry, refusalOf } from '../../support/registry.js';

const registry = new TestRegistry();
const serviceId = registry.service();
const long = (length: number) => 'a'.repeat(length);

const nameRule = String.raw`Regexp: ^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9]$`;
const versionRule = 'Regexp: the form x[.y[.z]] where x y and z are 0-32767 range';

function expectRefusal(
  told: ReturnType<TestRegistry['ask']>,
  field: string,
  value: string,
  rule: string,
) {
  expect(refusalOf(told)).toBe(
    `400 400001 field '${field}' invalid value '${value}' does not match rule: {${rule}}`,
  );
}

describe('a service that is registered', () => {
  it.each([
    ['ServiceId', 'a b', { serviceId: 'a b' }, String.raw`Max: 64, Regexp: ^\S*$`],
    ['AppId', long(161), { appId: long(161) }, `Max: 160, ${nameRule}`],
    ['ServiceName', '', { serviceName: '' }, `Min: 1, Max: 128, ${nameRule}`],
    ['ServiceName', '-a', { serviceName: '-a' }, `Min: 1, Max: 128, ${nameRule}`],
    ['Version', '1.2.3-rc', { version: '1.2.3-rc' }, `Max: 64, ${versionRule}`],
    ['Version', '1.32768', { version: '1.32768' }, `Max: 64, ${versionRule}`],
    ['Version', '1.2.3.4.5', { version: '1.2.3.4.5' }, `Max: 64, ${versionRule}`],
    ['Description', long(257), { description: long(257) }, 'Max: 256'],
    ['Level', 'TOP', { level: 'TOP' }, 'Regexp: ^(FRONT|MIDDLE|BACK)$'],
    ['Status', 'IDLE', { status: 'IDLE' }, 'Regexp: ^(UP|DOWN)?$'],
    ['Alias', 'a/b', { alias: 'a/b' }, String.raw`Max: 128, Regexp: ^[a-zA-Z0-9_\-.:]*$`],
    [
      'Environment',
      'test',
      { environment: 'test' },
      'Regexp: ^(development|testing|acceptance|production)*$',
    ],
    ['RegisterBy', 'ME', { registerBy: 'ME' }, 'Max: 64, Regexp: ^(SDK|SIDECAR|PLATFORM)*$'],
  ])('is checked: %s %j', (field, value, service, rule) => {
    const body = { service: { serviceName: 'orders', ...service } };
    expectRefusal(
      registry.ask('POST /microservices', { body }),
      `MicroService.${field}`,
      value,
      rule,
    );
  });

  it('is checked field by field, and the first wrong one is reported', () => {
    const wrong = { environment: 'x', version: 'x', serviceName: 'a b', level: 'x' };
    const ask = (service: object) => registry.ask('POST /microservices', { body: { service } });
    expect(ask(wrong).json.detail).toContain("'MicroService.ServiceName'");
    expect(ask({ ...wrong, serviceName: 'a' }).json.detail).toContain("'MicroService.Version'");
    const last = { serviceName: 'a', environment: 'x' };
    expect(ask(last).json.detail).toContain("'MicroService.Environment'");
  });

  it('is checked in its parts', () => {
    const ask = (service: object) =>
      registry.ask('POST /microservices', { body: { service: { serviceName: 'a', ...service } } });
    expect(ask({ schemas: ['ok', 'a b'] }).json.detail).toMatch(
      /^field 'MicroService.Schemas' invalid value 'a b' does not match rule: \{Max: 100, /,
    );
    const many = Array.from({ length: 101 }, (_, at) => `s${at}`);
    expect(ask({ schemas: many }).json.detail).toContain("invalid value '[s0 s1 s2 ");
    expect(ask({ paths: [{ path: '/a' }, { path: '/ü' }] }).json.detail).toContain(
      "'ServicePath.Path' invalid value '/ü'",
    );
    expect(ask({ paths: [null] }).json.detail).toBe('invalid nil pointer');
    expect(ask({ framework: { name: 'a b' } }).json.detail).toContain("'FrameWork.Name'");
    expect(ask({ framework: { version: long(65) } }).json.detail).toMatch(/\{Max: 64\}$/);
  });

  it('may say a length in characters, not in bytes', () => {
    const description = '😀'.repeat(256);
    expect(registry.service({ serviceName: 'emoji', description })).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe('an instance that is registered', () => {
  const register = (instance: object) =>
    registry.ask(`POST /microservices/${serviceId}/instances`, {
      body: { instance: { hostName: 'h', ...instance } },
    });
  const name = String.raw`^[A-Za-z0-9_.-]*$`;

  it.each([
    ['MicroServiceInstance.InstanceId', 'a/b', { instanceId: 'a/b' }, `Max: 64, Regexp: ${name}`],
    ['MicroServiceInstance.Endpoints', ' ', { endpoints: ['a', ' '] }, String.raw`Regexp: \S+`],
    [
      'MicroServiceInstance.HostName',
      '',
      { hostName: '' },
      String.raw`Min: 1, Max: 64, Regexp: \S+`,
    ],
    [
      'MicroServiceInstance.Status',
      'IDLE',
      { status: 'IDLE' },
      'Regexp: ^(UP|DOWN|STARTING|TESTING|OUTOFSERVICE)?$',
    ],
    ['HealthCheck.Mode', '', { healthCheck: {} }, 'Regexp: ^(push|pull)$'],
    ['HealthCheck.Port', '65536', { healthCheck: { mode: 'push', port: 65_536 } }, 'Max: 65535'],
    ['HealthCheck.Port', '-1', { healthCheck: { mode: 'push', port: -1 } }, 'Max: 65535'],
    ['HealthCheck.Interval', '0', { healthCheck: { mode: 'pull' } }, 'Min: 1, Max: 2147483647'],
    [
      'HealthCheck.Times',
      '-1',
      { healthCheck: { mode: 'push', interval: 5, times: -1 } },
      'Max: 2147483647',
    ],
    [
      'HealthCheck.Url',
      'a b',
      { healthCheck: { mode: 'push', interval: 5, url: 'a b' } },
      String.raw`Regexp: ^\S*$`,
    ],
    [
      'DataCenterInfo.Region',
      '',
      { dataCenterInfo: { name: 'dc', availableZone: 'az' } },
      'Min: 1, Max: 128, Regexp: ^[A-Za-z0-9_.-]+$',
    ],
    [
      'DataCenterInfo.Name',
      '',
      { dataCenterInfo: {} },
      'Min: 1, Max: 128, Regexp: ^[A-Za-z0-9_.-]+$',
    ],
  ])('is checked: %s %j', (field, value, instance, rule) => {
    expectRefusal(register(instance), field, value, rule);
  });

  it('must be there', () => {
    const told = registry.ask(`POST /microservices/${serviceId}/instances`, { body: {} });
    expectRefusal(told, 'RegisterInstanceRequest.Instance', '<nil>', 'Min: 1');
  });

  it('may have no-break space in its id’s place of a service, as Go’s white space is ASCII only', () => {
    expect(registry.ask('GET /microservices/a%C2%A0b').json.errorCode).toBe('400012');
    expect(registry.ask('GET /microservices/a%09b').json.errorCode).toBe('400001');
  });
});

describe('every other request', () => {
  const id = String.raw`Max: 64, Regexp: ^\S*$`;
  const tag = String.raw`Regexp: ^[a-zA-Z][a-zA-Z0-9_\-.]{0,63}$`;
  const instanceId = 'Min: 1, Max: 64, Regexp: ^[A-Za-z0-9_.-]*$';
  const schemaId = String.raw`Min: 1, Max: 160, Regexp: ^[a-zA-Z0-9]+$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9]$`;
  const wantedName = String.raw`Min: 1, Max: 289, Regexp: ^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.:]*[a-zA-Z0-9]$`;

  it.each([
    ['GET /microservices/a%20b', 'GetServiceRequest.ServiceId', 'a b', `Min: 1, ${id}`],
    ['DELETE /microservices/a%20b', 'DeleteServiceRequest.ServiceId', 'a b', `Min: 1, ${id}`],
    [
      'PUT /microservices/a%20b/properties',
      'UpdateServicePropsRequest.ServiceId',
      'a b',
      `Min: 1, ${id}`,
    ],
    ['GET /microservices/a%20b/tags', 'GetServiceTagsRequest.ServiceId', 'a b', `Min: 1, ${id}`],
    ['PUT /microservices/a/tags/1?value=b', 'UpdateServiceTagRequest.Key', '1', tag],
    ['PUT /microservices/a/tags/b', 'UpdateServiceTagRequest.Value', '', tag],
    [
      'DELETE /microservices/a/tags/b,1',
      'DeleteServiceTagsRequest.Keys',
      '1',
      `Min: 1, Max: 100, ${tag}`,
    ],
    ['GET /microservices/a/schemas/b%20c', 'GetSchemaRequest.SchemaId', 'b c', schemaId],
    ['DELETE /microservices/a/schemas/b%20c', 'DeleteSchemaRequest.SchemaId', 'b c', schemaId],
    ['GET /microservices/a%20b/schemas', 'GetAllSchemaRequest.ServiceId', 'a b', `Min: 1, ${id}`],
    ['GET /existence?type=schema', 'GetSchemaRequest.ServiceId', '', `Min: 1, ${id}`],
    [
      'GET /existence?type=microservice',
      'GetExistenceRequest.AppId',
      '',
      `Min: 1, Max: 160, ${nameRule}`,
    ],
    [
      'GET /existence?type=microservice&appId=a&serviceName=b&version=1%2B',
      'GetExistenceRequest.Version',
      '1+',
      `Min: 1, Max: 64, ${versionRule}`,
    ],
    [
      'GET /existence?type=microservice&appId=a&serviceName=b&version=1&env=x',
      'GetExistenceRequest.Environment',
      'x',
      'Regexp: ^(development|testing|acceptance|production)*$',
    ],
    [
      'DELETE /microservices/a/instances/b%20c',
      'UnregisterInstanceRequest.InstanceId',
      'b c',
      instanceId,
    ],
    [
      'GET /microservices/a/instances/b%20c',
      'GetOneInstanceRequest.ProviderInstanceId',
      'b c',
      instanceId,
    ],
    [
      'PUT /microservices/a/instances/b%20c/properties',
      'UpdateInstancePropsRequest.InstanceId',
      'b c',
      instanceId,
    ],
    ['GET /microservices/a/instances?tags=1', 'GetInstancesRequest.Tags', '1', tag],
    [
      'GET /instances?serviceName=a',
      'FindInstancesRequest.AppId',
      '',
      `Min: 1, Max: 160, ${nameRule}`,
    ],
    [
      'GET /instances?appId=a&serviceName=a%20b',
      'FindInstancesRequest.ServiceName',
      'a b',
      wantedName,
    ],
    [
      'GET /microservices/a%20b/providers',
      'GetDependenciesRequest.ServiceId',
      'a b',
      `Min: 1, ${id}`,
    ],
  ])('is checked: %s', (line, field, value, rule) => {
    expectRefusal(registry.ask(line, { body: {} }), field, value, rule);
  });

  it('is checked for its consumer before anything else', () => {
    const told = registry.ask('GET /instances', { consumerId: long(65) });
    expectRefusal(told, 'FindInstancesRequest.ConsumerServiceId', long(65), id);
  });

  it('names at least one service to remove, each by a possible id', () => {
    const ask = (serviceIds: string[]) =>
      registry.ask('DELETE /microservices', { body: { serviceIds } });
    const rule = String.raw`Min: 1, Regexp: ^\S{1,64}$`;
    expectRefusal(ask([]), 'DelServicesRequest.ServiceIds', '[]', rule);
    expectRefusal(ask(['a', '']), 'DelServicesRequest.ServiceIds', '', rule);
  });

  it('has its tags checked by key and by value, and counted', () => {
    const ask = (tags: object) =>
      registry.ask(`POST /microservices/${serviceId}/tags`, { body: { tags } });
    const rule = `Max: 100, ${tag}`;
    expectRefusal(ask({ a: '1' }), 'AddServiceTagsRequest.Tags', '1', rule);
    expectRefusal(ask({ '1': 'a' }), 'AddServiceTagsRequest.Tags', '1', rule);
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`k${at}`, 'v']));
    expect(ask(many).json.detail).toContain("invalid value 'map[k0:v k1:v k10:v k100:v");
  });
});
