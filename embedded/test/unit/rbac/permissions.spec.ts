import { describe, expect, it } from '@jest/globals';
import { GuardedRegistry } from '../../support/guarded-registry.js';
import { TestRegistry } from '../../support/registry.js';

const noScope = '401 401201 no valid resouce scope';
const refused = (permission: string) => `403 403205 role has no permissions[${permission}]`;
const service = (labels: object = {}) => ({ type: 'service', labels });
const all = (...resources: object[]) => [{ resources, verbs: ['*'] }];

describe('a request with RBAC', () => {
  it.each([
    'GET /version',
    'GET /health',
    'GET /metrics',
    'GET /v4/other/registry/version',
    'GET /v4/other/registry/health',
  ])('%s needs no token', line => {
    expect(new GuardedRegistry().outcome(line)).toBe('200');
  });

  it.each([
    'GET /microservices',
    'GET /registry/v3/microservices',
    'GET /v4/default/govern/apps',
    'GET /v4/default/admin/dump',
    'GET /v4/accounts',
    'GET /v4/roles',
    'GET /v4/account-locks',
    'GET /v4/self-perms',
    'POST /v4/accounts/root/password',
  ])('%s needs one', line => {
    expect(new GuardedRegistry().outcome(line)).toBe('401 401204 undefined');
  });

  it('is known by its path and its method before anybody asks for a token', () => {
    const guarded = new GuardedRegistry();
    expect(guarded.ask('GET /v4/nothing').status).toBe(404);
    expect(guarded.ask('PUT /v4/token')).toMatchObject({ status: 405, headers: { Allow: 'POST' } });
    expect(guarded.ask('OPTIONS /v4/accounts').status).toBe(200);
  });

  it.each(['Bearer', 'Bearer  a', ' a b', 'a b c', '  '])('may not say %j', as => {
    const guarded = new GuardedRegistry();
    const headers = { authorization: as };
    expect(guarded.outcome('GET /microservices', { headers })).toBe(
      '401 401201 invalid auth header',
    );
  });
});

describe('a request without RBAC', () => {
  it('is let through whatever its token, and finds no accounts', () => {
    const registry = new TestRegistry();
    const headers = { authorization: 'nonsense' };
    expect(registry.ask('GET /microservices', { headers }).status).toBe(200);
    for (const path of ['token', 'accounts', 'roles', 'account-locks', 'self-perms'])
      expect(registry.ask(`GET /v4/${path}`).text).toBe('404 page not found\n');
  });
});

describe('an account that is no admin', () => {
  it.each([
    'GET /microservices/nosuch',
    'DELETE /microservices/nosuch',
    'PUT /microservices/nosuch/properties',
    'GET /microservices/nosuch/tags',
    'PUT /microservices/nosuch/tags/key?value=x',
    'GET /microservices/nosuch/schemas',
    'GET /microservices/nosuch/schemas/s',
    'GET /microservices/nosuch/providers',
    'GET /microservices/nosuch/consumers',
    'GET /microservices/nosuch/instances',
    'PUT /microservices/nosuch/instances/i/status?value=UP',
    'GET /existence?type=schema&serviceId=nosuch&schemaId=s',
    'GET /v4/default/govern/microservices/nosuch',
  ])('gets no details about a service that does not exist: %s', line => {
    const guarded = new GuardedRegistry();
    expect(guarded.outcome(line, { as: guarded.developer() })).toBe(noScope);
  });

  it.each<[string, unknown]>([
    ['POST /microservices', '[]'],
    ['POST /microservices', { service: null }],
    ['POST /microservices', 'x'.repeat(2 * 1024 * 1024 + 1)],
    ['DELETE /microservices', '{'],
    ['DELETE /microservices', { serviceIds: ['nosuch'] }],
    ['POST /instances/action?type=query', ''],
    ['POST /instances/action?type=query', { instances: [{ instance: { serviceId: 'nosuch' } }] }],
    ['PUT /heartbeats', { instances: [{}] }],
  ])('gets no details about an invalid body: %s', (line, body) => {
    const guarded = new GuardedRegistry();
    expect(guarded.outcome(line, { as: guarded.developer(), body })).toBe(noScope);
  });

  it.each<[string, unknown]>([
    ['PUT /heartbeats', { instances: [null] }],
    ['POST /instances/action?type=query', { instances: [{}] }],
  ])('gets nothing at all where the server dies of the body: %s', (line, body) => {
    const guarded = new GuardedRegistry();
    const told = guarded.ask(line, { as: guarded.developer(), body });
    expect([told.status, told.text, told.headers['Content-Type']]).toEqual([200, '', undefined]);
  });

  it('may do as before with what needs no service', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.developer();
    expect(guarded.outcome('GET /v4/default/admin/dump', { as })).toBe('200');
    expect(guarded.outcome('GET /v4/default/govern/apps', { as })).toBe('200');
    expect(guarded.outcome('GET /v4/default/govern/relations', { as })).toBe('200');
    const body = { services: [{ service: { serviceName: 'nosuch' } }] };
    expect(guarded.outcome('POST /instances/action?type=query', { as, body })).toContain('400001');
  });

  it('may not do what the server has no name for', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.developer();
    const put = guarded.outcome('PUT /dependencies', { as, body: {} });
    expect(put).toBe(refused(':update'));
    expect(guarded.outcome('GET /registry/v3/microservices', { as })).toBe(refused(':get'));
    expect(guarded.outcome('PUT /registry/v3/heartbeats', { as })).toBe(refused(':update'));
  });

  it('meets version 3 without a look at the service', () => {
    const guarded = new GuardedRegistry();
    const line = 'PUT /registry/v3/microservices/nosuch/instances/i/heartbeat';
    expect(guarded.outcome(line, { as: guarded.developer() })).toContain('400 400017');
  });

  it('may be an admin as well', () => {
    const guarded = new GuardedRegistry();
    guarded.developer();
    const as = guarded.token('dev', ['developer', 'admin']);
    expect(guarded.outcome('GET /microservices/nosuch', { as })).toContain('400 400012');
  });

  it('has the roles of its token until that ends, whatever became of the account', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.developer();
    guarded.asRoot('POST /v4/roles', { name: 'none' });
    expect(guarded.asRoot('PUT /v4/accounts/dev', { roles: ['none'] })).toBe('200');
    expect(guarded.outcome('GET /microservices', { as })).toBe('200');
    expect(guarded.ask('GET /v4/self-perms', { as }).text).toBe('{}');
  });
});

describe('a permission', () => {
  it.each([
    ['get', 'GET', ''],
    ['create', 'POST', '/instances'],
    ['update', 'PUT', '/properties'],
    ['delete', 'DELETE', ''],
  ])('to %s is one for %s', (verb, method, path) => {
    const guarded = new GuardedRegistry();
    guarded.service('orders');
    const has = guarded.member('has', [{ resources: [service()], verbs: [verb] }]);
    const others = ['get', 'create', 'update', 'delete'].filter(other => other !== verb);
    const lacks = guarded.member('lacks', [{ resources: [service()], verbs: others }]);
    const line = `${method} /microservices/orders${path}`;
    expect(guarded.outcome(line, { as: lacks })).toBe(refused(`service:${verb}`));
    expect(guarded.outcome(line, { as: has })).not.toContain('403');
  });

  it('may be spread over several roles', () => {
    const guarded = new GuardedRegistry();
    guarded.member('a', [{ resources: [{ type: 'account' }], verbs: ['get'] }]);
    guarded.member('b', [{ resources: [{ type: 'role' }], verbs: ['get'] }]);
    const as = guarded.token('a', ['a-role', 'b-role', 'nosuch']);
    expect(guarded.outcome('GET /v4/accounts', { as })).toBe('200');
    expect(guarded.outcome('GET /v4/roles', { as })).toBe('200');
    expect(guarded.outcome('DELETE /v4/roles/a-role', { as })).toBe(refused('role:delete'));
  });

  it('for schemas is not one for services', () => {
    const guarded = new GuardedRegistry();
    guarded.service('orders');
    const as = guarded.member('a', all({ type: 'service/schema' }));
    expect(guarded.outcome('GET /microservices/orders/schemas', { as })).toBe('200');
    expect(guarded.outcome('GET /microservices/orders/tags', { as })).toBe(refused('service:get'));
  });

  it('for services covers the answers of govern', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.member('a', all({ type: 'governance' }));
    const outcome = guarded.outcome('GET /v4/default/govern/apps', { as });
    expect(outcome).toBe(refused('service:get'));
  });

  it('without an account allows nothing', () => {
    const guarded = new GuardedRegistry();
    const as = guarded.member('a', []);
    expect(guarded.outcome('GET /microservices', { as })).toBe(
      '403 403205 role has no any permissions',
    );
  });
});

describe('a permission with labels', () => {
  const setUp = (labels: object) => {
    const guarded = new GuardedRegistry();
    guarded.service('orders', { appId: 'shop', environment: 'testing' });
    guarded.service('stock', { appId: 'shop' });
    guarded.service('other', { appId: 'elsewhere' });
    return { guarded, as: guarded.member('a', all(service(labels))) };
  };
  const refusedFor = (permission: string, ...labels: string[]) =>
    `${refused(permission)} for labels [${labels.map(each => `map[${each}]`).join(' ')}]`;

  it('must be fulfilled in all of them', () => {
    const { guarded, as } = setUp({ appId: 'shop', environment: 'testing' });
    expect(guarded.outcome('GET /microservices/orders', { as })).toBe('200');
    expect(guarded.outcome('GET /microservices/stock', { as })).toBe(
      refusedFor('service:get', 'appId:shop environment: serviceName:stock'),
    );
  });

  it('with a label that no service has covers none', () => {
    const { guarded, as } = setUp({ version: '1.0.0' });
    expect(guarded.outcome('GET /microservices/orders', { as })).toContain('403 403205');
  });

  it('of nothing is one for all', () => {
    const { guarded, as } = setUp({});
    expect(guarded.outcome('GET /microservices/other', { as })).toBe('200');
  });

  it('needs one only of several services in a body', () => {
    const { guarded, as } = setUp({ appId: 'shop' });
    const outcome = (...ids: string[]) =>
      guarded.outcome('PUT /heartbeats', {
        as,
        body: { instances: ids.map(serviceId => ({ serviceId, instanceId: 'i' })) },
      });
    expect(outcome('other', 'stock')).toBe('200');
    expect(outcome('other', 'other')).toBe(
      refusedFor(
        'service:update',
        'appId:elsewhere environment: serviceName:other',
        'appId:elsewhere environment: serviceName:other',
      ),
    );
  });

  it('counts by what a new service says, before it has defaults', () => {
    const { guarded, as } = setUp({ appId: 'default' });
    const register = (body: object) =>
      guarded.outcome('POST /microservices', { as, body: { service: body } });
    expect(register({ serviceName: 'new', appId: 'default' })).toBe('200');
    expect(register({ serviceName: 'new' })).toBe(
      refusedFor('service:create', 'appId: environment: serviceName:new'),
    );
  });

  it('takes the environment of a find from its consumer', () => {
    const { guarded, as } = setUp({ environment: 'testing' });
    const line = 'GET /instances?appId=shop&serviceName=orders';
    const headers = { 'x-consumerid': 'orders' };
    expect(guarded.outcome(line, { as, headers })).toBe('200');
    expect(guarded.outcome(line, { as })).toContain('403 403205');
  });

  it('covers a service of version 3 whatever it is called', () => {
    const { guarded, as } = setUp({ appId: 'shop' });
    const line = 'GET /registry/v3/microservices/other/instances';
    expect(guarded.outcome(line, { as })).toBe('200');
  });

  it.each([
    ['appId', 'shop', ['orders', 'stock']],
    ['environment', '', ['stock', 'other']],
    ['serviceName', 'o*r*', ['orders', 'other']],
    ['serviceName', 'o.*', []],
    ['version', '1', ['orders', 'stock', 'other']],
  ])('cuts lists down: %s %s', (label, value, names) => {
    const { guarded, as } = setUp({ [label]: value });
    const { services = [] } = JSON.parse(guarded.ask('GET /microservices', { as }).text) as {
      readonly services?: readonly { readonly serviceName: string }[];
    };
    expect(services.map(({ serviceName }) => serviceName)).toEqual(names);
  });

  it('filters the answers of govern', () => {
    const { guarded, as } = setUp({ appId: 'shop', serviceName: 'stock' });
    const told = (path: string) =>
      JSON.parse(guarded.ask(`GET /v4/default/govern/${path}`, { as }).text) as unknown;
    expect(told('apps')).toEqual({ appIds: ['shop'] });
    expect(told('microservices?options=all')).toMatchObject({
      allServicesDetail: [{ microService: { serviceName: 'stock' } }],
    });
  });

  it('leaves an error as it is', () => {
    const { guarded, as } = setUp({ appId: 'shop' });
    expect(guarded.outcome('GET /v4/default/govern/apps?env=a%20b', { as })).toContain('400001');
  });
});

describe('a scope', () => {
  it('leaves everything else open, which a wrong login reports', () => {
    const guarded = new GuardedRegistry({ scope: [] });
    expect(guarded.outcome('GET /microservices')).toBe('200');
    expect(guarded.outcome('GET /microservices', { as: 'nonsense' })).toBe('200');
    expect(guarded.outcome('GET /v4/accounts')).toBe('401 401204 undefined');
    expect(guarded.outcome('GET /v4/roles')).toBe('401 401204 undefined');
    expect(guarded.ask('POST /v4/token', { body: { name: 'a' } }).text).toBe(
      '{"errorCode":"401302","errorMessage":"","detail":"User name or password is wrong, RBAC system is half opening"}',
    );
  });

  it('leaves no account with permissions of its own', () => {
    const guarded = new GuardedRegistry({ scope: ['service'] });
    expect(guarded.outcome('GET /v4/self-perms', { as: guarded.root })).toBe(
      '401 401201 list self permissions failed',
    );
  });

  it('covers services by name', () => {
    const guarded = new GuardedRegistry({ scope: ['service'] });
    expect(guarded.outcome('GET /microservices')).toBe('401 401204 undefined');
    expect(guarded.outcome('GET /v4/default/admin/clusters')).toBe('200');
    expect(guarded.login('a', 'wrong')).toBe('401 401202 undefined');
  });
});
