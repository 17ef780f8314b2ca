import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestRegistry } from '../../support/registry.js';

let registry: TestRegistry;

beforeEach(() => {
  registry = new TestRegistry();
});

const admin = (path: string): unknown =>
  JSON.parse(registry.ask(`GET /v4/default/admin${path}`).text);
const own = '7062417bf9ebd4c646bb23059003cea42180894a';

describe('the dump', () => {
  it('has the cache by kind, each record under its key of etcd', () => {
    const id = registry.service({ alias: 'web:orders', version: '1.0.0' });
    registry.ask(`POST /microservices/${id}/tags`, { body: { tags: { a: 'b' } } });
    registry.ask(`PUT /microservices/${id}/schemas/s`, { body: { schema: 'x', summary: 'abc' } });
    registry.instance(id, { instanceId: 'one' });
    registry.ask('GET /instances?appId=default&serviceName=orders', { consumerId: id });
    const cluster = 'default';
    const orders = { tenant: 'default/default', appId: 'default', serviceName: 'orders' };
    const consumer = { ...orders, alias: 'web:orders', version: '1.0.0' };
    const key = (path: string) => `/cse-sr/${path}`;
    expect(admin('/dump')).toMatchObject({
      cache: {
        services: [
          { key: key(`ms/files/default/default/${own}`), value: { serviceId: own } },
          { key: key(`ms/files/default/default/${id}`), rev: 0, cluster, value: { serviceId: id } },
        ],
        serviceIndexes: [
          { key: key('ms/indexes/default/default/development/default/SERVICECENTER/0.0.1') },
          { key: key('ms/indexes/default/default//default/orders/1.0.0'), value: id },
        ],
        serviceAliases: [
          { value: own },
          { key: key('ms/alias/default/default//default/web:orders/1.0.0'), value: id },
        ],
        serviceTags: [{ key: key(`ms/tags/default/default/${id}`), value: { a: 'b' } }],
        dependencyRules: [
          {
            key: key('ms/dep-rules/default/default/c//default/orders/1.0.0'),
            value: { Dependency: [{ ...orders, version: '0.0.0+' }] },
          },
          {
            key: key('ms/dep-rules/default/default/p//default/orders/0.0.0+'),
            value: { Dependency: [consumer] },
          },
        ],
        summaries: [{ key: key(`ms/schema-sum/default/default/${id}/s`), value: 'abc' }],
        instances: [
          {
            key: key(`inst/files/default/default/${id}/one`),
            rev: 1,
            cluster,
            value: { instanceId: 'one' },
          },
        ],
      },
    });
  });

  it('has every domain and project, and no kind that is empty', () => {
    const id = registry.service({}, { domain: 'other' });
    expect(admin('/dump')).toMatchObject({
      cache: { services: [{}, { key: `/cse-sr/ms/files/other/default/${id}` }] },
    });
    expect(admin('/dump')).not.toHaveProperty('cache.instances');
  });

  it.each([
    ['', ['cache']],
    ['?options=%20', ['cache']],
    ['?options=cache', ['cache']],
    ['?options=info', ['info']],
    ['?options=info,cache', ['info', 'cache']],
    ['?options=all', ['info', 'cache']],
    ['?options=other', []],
  ])('has what the options ask for: "%s"', (query, parts) => {
    expect(Object.keys(Object(admin(`/dump${query}`)))).toEqual(parts);
  });

  it('returns its version without that of an API', () => {
    expect(admin('/dump?options=info')).toMatchObject({ info: { buildTag: 'embedded' } });
    expect(admin('/dump?options=info')).not.toHaveProperty('info.apiVersion');
  });

  it.each([
    ['/v4/other/admin/dump', undefined],
    ['/v4/default/admin/dump', 'other'],
  ])('is empty from anywhere but the root: %s, domain %s', (path, domain) => {
    const asked = domain === undefined ? {} : { domain };
    expect(registry.ask(`GET ${path}`, asked)).toMatchObject({ status: 200, text: '' });
  });
});

describe('the clusters', () => {
  it('are one, with the address of whoever runs', () => {
    expect(admin('/clusters')).toEqual({ clusters: { default: [] } });
    registry.model.registerSelf('self', { host: '::1', port: 7 });
    expect(admin('/clusters')).toEqual({ clusters: { default: ['http://[::1]:7'] } });
  });
});

describe('the alarms', () => {
  it('are none, and may be cleared', () => {
    expect(admin('/alarms')).toEqual({});
    expect(registry.ask('DELETE /v4/default/admin/alarms')).toMatchObject({
      status: 200,
      text: '',
    });
  });
});

describe('the metrics', () => {
  const metrics = () => registry.askTarget('GET', '/metrics');

  it('are in the text format of Prometheus', () => {
    registry.model.registerSelf('self', { host: 'h', port: 7 });
    expect(metrics()).toMatchObject({
      status: 200,
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
    });
    expect(metrics().text).toContain(
      '# HELP service_center_db_domain_total Gauge of domain created in Service Center\n' +
        '# TYPE service_center_db_domain_total gauge\n' +
        'service_center_db_domain_total{instance="h:7"} 1\n',
    );
  });

  it('count services, instances and schemas by domain, project and framework', () => {
    const framework = { name: 'nest', version: '12' };
    const id = registry.service({ framework });
    registry.service({ framework, version: '2.0.0' });
    registry.instance(id);
    registry.ask(`PUT /microservices/${id}/schemas/s`, { body: { schema: 'x' } });
    const labels = 'domain="default",framework="nest",frameworkVersion="12"';
    expect(metrics().text).toContain(`service_total{${labels},instance="",project="default"} 2\n`);
    expect(metrics().text).toContain(
      `framework_total{${labels},instance="",project="default"} 1\n`,
    );
    expect(metrics().text).toContain(`instance_total{${labels},instance="",project="default"} 1\n`);
    expect(metrics().text).toContain(
      'schema_total{domain="default",instance="",project="default"} 1\n',
    );
  });

  it('have no name for what has no samples, and leave the Service Center out', () => {
    expect(metrics().text).not.toContain('service_total');
    expect(metrics().text).not.toContain('instance_total');
  });

  it('call a framework without a version unknown there, and escape labels', () => {
    registry.service({ framework: { name: 'nest' } }, { domain: 'a"\\b' });
    expect(metrics().text).toContain(
      String.raw`{domain="a\"\\b",framework="nest",frameworkVersion="UNKNOWN",`,
    );
  });
});
