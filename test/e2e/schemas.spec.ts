import { Controller, Get, Module } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { describe, expect } from '@jest/globals';
import type { EmbeddedServiceCenter } from 'embedded-service-center';
import { Registration, RegistryEvents, ServiceCenterClient } from '../../lib/index.js';
import { concurrently } from '../support/concurrently.js';
import { createApp, optionsFor, startApp, startRegistry } from '../support/test-app.js';

@Controller('orders')
class OrdersController {
  @Get(':id')
  order(): string {
    return 'an order';
  }
}

@Module({ controllers: [OrdersController] })
class OrdersModule {}

/** Operations about schemas and instances that the registry was asked for, in order. */
function stepsAt(registry: EmbeddedServiceCenter): readonly (string | undefined)[] {
  return registry.requests
    .map(({ operation }) => operation)
    .filter(operation => /schema|registerInstance/i.test(operation ?? ''));
}

describe('the schemas of an application', () => {
  concurrently(
    'are the document of @nestjs/swagger, there before the instance is',
    async cleanup => {
      const registry = await startRegistry(cleanup);
      const { app, events } = await createApp(cleanup, optionsFor(registry.url), {
        imports: [OrdersModule],
      });
      const config = new DocumentBuilder().setTitle('Orders').build();
      const document = SwaggerModule.createDocument(app, config);
      app.get(Registration).setSchemas({ 'orders.rest': document });
      await app.listen(0, '127.0.0.1');
      const { instance } = await events.nth(RegistryEvents.InstanceRegistered);
      const client = app.get(ServiceCenterClient);
      const { serviceId = '' } = instance ?? {};
      const stored = JSON.parse(await client.getSchema(serviceId, 'orders.rest'));
      expect(stored).toEqual(JSON.parse(JSON.stringify(document)));
      expect(Object.keys(stored.paths)).toEqual(['/orders/{id}']);
      const { schemas } = await client.getMicroservice(serviceId);
      expect(schemas).toEqual(['orders.rest']);
      expect(stepsAt(registry)).toEqual([
        'listSchemas',
        'setSchema',
        'registerInstance',
        'getSchema',
      ]);
    },
  );

  concurrently('that are the same are not sent by the next process', async cleanup => {
    const registry = await startRegistry(cleanup);
    const schemas = { documents: { a: { x: 1, y: 2 } } };
    const options = { ...optionsFor(registry.url), schemas };
    const first = await startApp(cleanup, options);
    await first.app.close();
    const again = { ...options, schemas: { documents: { a: { y: 2, x: 1 } } } };
    const second = await startApp(cleanup, again);
    expect(stepsAt(registry).filter(step => step === 'setSchema')).toHaveLength(1);
    expect(second.events.names()).not.toContain(RegistryEvents.SchemasUploaded);
  });

  concurrently('that the registry refuses do not keep the instance out', async cleanup => {
    const registry = await startRegistry(cleanup);
    registry.faults.answer(403, { errorCode: 403_001 }, { operation: 'setSchema' });
    const schemas = { documents: { a: 'A' } };
    const { app, events, log } = await startApp(cleanup, { ...optionsFor(registry.url), schemas });
    const { error } = await events.nth(RegistryEvents.SchemasFailed);
    expect(error).toMatchObject({ code: 'ERR_SERVICECOMB_RESPONSE', errorCode: 403_001 });
    expect(app.get(Registration).snapshot()).toMatchObject({
      state: 'registered',
      schemas: { areUploaded: false, lastError: { message: expect.stringContaining('403001') } },
    });
    expect(
      log.matching(/^warn Could not upload the schemas of .* registered without them/),
    ).toHaveLength(1);
  });
});
