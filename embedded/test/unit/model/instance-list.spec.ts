import { describe, expect, it } from '@jest/globals';
import { InstanceList, InstanceTable, ListTexts } from '../../../lib/model/instance-list.js';
import type { InstanceRecord } from '../../../lib/model/records.js';
import { TestRegistry } from '../../support/registry.js';

const record = (instanceId: string, modRevision: number): InstanceRecord => ({
  instance: { instanceId, serviceId: 'orders', hostName: 'h' },
  modRevision,
});

describe('the list of a service', () => {
  it('is the same object until an instance changes, and then has the new state', () => {
    const table = new InstanceTable(new ListTexts());
    table.set('a', record('a', 1)).set('b', record('b', 2));
    const { list } = table;
    expect(table.list).toBe(list);
    table.set('a', record('a', 3));
    expect([list.latest, table.list.latest, table.list.size]).toEqual([2, 3, 2]);
    table.delete('a');
    expect([table.list.latest, table.list.size]).toEqual([2, 1]);
  });

  it('keeps the order of the first registrations', () => {
    const table = new InstanceTable(new ListTexts());
    for (const [at, id] of ['b', 'a', 'b'].entries()) table.set(id, record(id, at));
    expect(table.list.records.map(({ instance }) => instance.instanceId)).toEqual(['b', 'a']);
  });
});

describe('the text of a list', () => {
  const lists = Array.from({ length: 3 }, (_, at) => new InstanceList([record('own', at)]));
  let written = 0;
  const write = () => {
    written += 1;
    return 'x'.repeat(10);
  };

  it('is written once, and dropped with its list', () => {
    const texts = new ListTexts();
    const table = new InstanceTable(texts);
    table.set('a', record('a', 1));
    written = 0;
    expect(texts.textOf(table.list, write)).toBe(texts.textOf(table.list, write));
    expect([written, texts.characters]).toEqual([1, 10]);
    table.set('a', record('a', 2));
    expect(texts.characters).toBe(0);
    texts.textOf(table.list, write);
    table.delete('a');
    expect([written, texts.characters]).toEqual([2, 0]);
  });

  it('that was not used for longest goes when the texts grow too long', () => {
    const texts = new ListTexts(20);
    const uses = [0, 1, 0, 2, 0, 1];
    const kept = uses.map(at => {
      written = 0;
      texts.textOf(lists[at] ?? new InstanceList([]), write);
      return written === 0;
    });
    expect(kept).toEqual([false, false, true, false, true, false]);
    expect(texts.characters).toBe(20);
  });

  it('that is too long by itself is not kept', () => {
    const texts = new ListTexts(9);
    expect(texts.textOf(new InstanceList([]), write).text).toHaveLength(10);
    expect(texts.characters).toBe(0);
  });
});

describe('a list that many ask for', () => {
  const find = (registry: TestRegistry, query = '') =>
    registry.ask(`GET /instances?appId=default&serviceName=orders${query}`);

  it('is written once for each revision, of each version by itself', () => {
    const registry = new TestRegistry();
    const [old, recent] = ['1', '2'].map(version => registry.service({ version }));
    const length = () => registry.model.shared.listTexts.characters;
    registry.instance(old ?? '', { hostName: '<old>' });
    const first = find(registry).text;
    expect(length()).toBe(first.length);
    expect(find(registry).text).toBe(first);
    registry.instance(recent ?? '');
    const both = find(registry);
    expect(both.json.instances.map(({ version }) => version)).toEqual(['1', '2']);
    expect(both.text).toContain('\\u003cold\\u003e');
    expect(length()).toBe(both.text.length - 1 + '{"instances":[]}'.length);
    registry.ask(`DELETE /microservices/${old}?force=1`);
    registry.ask(`DELETE /microservices/${recent}?force=1`);
    expect(length()).toBe(0);
  });

  it('is not written for a client that has its revision, nor without instances', () => {
    const registry = new TestRegistry();
    const serviceId = registry.service();
    const path = `/microservices/${serviceId}/instances`;
    expect(find(registry).text).toBe('{}');
    registry.instance(serviceId);
    const { instanceId } = registry.ask(`GET ${path}?noCache=1`).json.instances[0] ?? {};
    const rev = registry.ask(`GET ${path}/${instanceId}`).headers['X-Resource-Revision'];
    registry.ask('PUT /instances/status', { body: { status: 'UP' } });
    expect(registry.model.shared.listTexts.characters).toBe(0);
    const latest = registry.ask(`GET ${path}/${instanceId}`).headers['X-Resource-Revision'];
    expect(latest).not.toBe(rev);
    expect(find(registry, `&rev=${latest}`).status).toBe(304);
    expect(registry.ask(`GET ${path}?rev=${latest}`).status).toBe(304);
    expect(registry.model.shared.listTexts.characters).toBe(0);
  });

  it('is dropped with a change that is not published yet, and again when it is', () => {
    const registry = new TestRegistry({ oddities: { publicationMs: 300 } });
    const serviceId = registry.service();
    registry.instance(serviceId, { instanceId: 'own' });
    registry.clock.advance(300);
    const statusesIn = (query = '') => find(registry, query).json.instances.map(i => i.status);
    expect(statusesIn()).toEqual(['UP']);
    registry.ask(`PUT /microservices/${serviceId}/instances/own/status?value=DOWN`);
    expect([...statusesIn(), ...statusesIn('&noCache=1')]).toEqual(['UP', 'DOWN']);
    registry.ask(`PUT /microservices/${serviceId}/instances/own/status?value=TESTING`);
    expect([...statusesIn(), ...statusesIn('&noCache=1')]).toEqual(['UP', 'TESTING']);
    const before = registry.model.shared.listTexts.characters;
    registry.clock.advance(300);
    expect(registry.model.shared.listTexts.characters).toBeLessThan(before);
    expect(statusesIn()).toEqual(['TESTING']);
  });

  it('is dropped with its service, although a change of it is not published yet', () => {
    const registry = new TestRegistry({ oddities: { publicationMs: 300 } });
    const serviceId = registry.service();
    registry.instance(serviceId);
    registry.clock.advance(300);
    registry.instance(serviceId);
    for (const query of ['', '&noCache=1']) find(registry, query);
    expect(registry.model.shared.listTexts.characters).toBeGreaterThan(0);
    registry.ask(`DELETE /microservices/${serviceId}?force=1`);
    expect(registry.model.shared.listTexts.characters).toBe(0);
  });

  it('is the same in a batch', () => {
    const registry = new TestRegistry();
    const [old = '', recent = ''] = ['1', '2'].map(version => registry.service({ version }));
    registry.instance(old, { hostName: '<old>' });
    registry.instance(recent, { instanceId: 'own' });
    registry.service({ serviceName: 'empty' });
    const services = ['orders', 'empty', 'none'].map(serviceName => ({
      service: { appId: 'default', serviceName },
    }));
    const instances = [{ instance: { serviceId: recent, instanceId: 'own' } }];
    const body = { services, instances };
    const told = registry.ask('POST /instances/action?type=query', { body });
    const { instances: found } = find(registry).json;
    const rev = find(registry).headers['X-Resource-Revision'];
    const nothing = '97784746be9a2d00f08bc72fe1ce5ff8c7d07ffe';
    expect(told.json).toMatchObject({
      services: {
        failed: [{ indexes: [2] }],
        updated: [
          { index: 0, rev, instances: found },
          { index: 1, rev: nothing },
        ],
      },
      instances: { updated: [{ index: 0, instances: [{ instanceId: 'own' }] }] },
    });
    expect(told.text).toContain(`{"index":1,"rev":"${nothing}"}`);
    expect(told.text).toContain('\\u003cold\\u003e');
    expect(Object.keys(told.json)).toEqual(['services', 'instances']);
  });
});
