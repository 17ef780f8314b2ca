import type { Page } from 'playwright-core';
import { EmbeddedServiceCenter } from '../../lib/index.js';
import type { EmbeddedServiceCenterOptions } from '../../lib/index.js';
import { exchange } from '../support/exchange.js';

/** A service that a test registers. */
export interface TestService {
  readonly serviceId: string;
  readonly version?: string;
}

/** A running registry with helpers to register and change services. */
export class PageUnderTest {
  readonly registry: EmbeddedServiceCenter;
  /** Errors of the pages, and requests to other hosts. */
  readonly complaints: string[] = [];

  constructor(options: EmbeddedServiceCenterOptions = {}) {
    const floors = { minIntervalMs: 1000, minTimes: 1 };
    this.registry = new EmbeddedServiceCenter({ port: 0, ...floors, ...options });
  }

  get url(): string {
    return `${this.registry.url}/-/`;
  }

  /** Opens the page and records its errors. */
  async open(page: Page): Promise<void> {
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    page.on('pageerror', error => this.complaints.push(String(error)));
    page.on('request', request => {
      if (!request.url().startsWith(this.registry.url)) this.complaints.push(request.url());
    });
    await page.goto(this.url);
    await page.locator('#connection[data-state="live"]').waitFor();
  }

  async service(service: TestService): Promise<void> {
    const { serviceId, version = '1.0.0' } = service;
    await this.#ask('POST', '', {
      service: { serviceId, serviceName: serviceId, version, appId: 'shop' },
    });
  }

  async instance(serviceId: string, instanceId: string, more: object = {}): Promise<void> {
    const healthCheck = { mode: 'push', interval: 5, times: 3 };
    const endpoints = ['rest://10.0.0.7:3000'];
    const instance = { instanceId, hostName: 'node-1', endpoints, healthCheck, ...more };
    await this.#ask('POST', `/${serviceId}/instances`, { instance });
  }

  async schema(serviceId: string, schemaId: string, schema: string): Promise<void> {
    await this.#ask('PUT', `/${serviceId}/schemas/${schemaId}`, { schema });
  }

  async beat(serviceId: string, instanceId: string): Promise<number> {
    return this.#ask('PUT', `/${serviceId}/instances/${instanceId}/heartbeat`);
  }

  async #ask(method: string, path: string, body?: unknown): Promise<number> {
    const target = `/v4/default/registry/microservices${path}`;
    return (await exchange(this.registry.url, { method, path: target, body })).status;
  }
}
