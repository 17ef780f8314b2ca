import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect } from '@jest/globals';
import { concurrently } from '../support/concurrently.js';
import { startRegistry } from '../support/test-app.js';

const script = 'build/tree/test/support/service-stage-context.js';

const cas = {
  CAS_APPLICATION_ID: 'shop',
  CAS_COMPONENT_NAME: 'orders',
  CAS_INSTANCE_VERSION: '2024.0614',
  CAS_INSTANCE_ID: 'orders-7f9c',
  CAS_ENVIRONMENT_ID: 'e-1',
};

describe('a process in ServiceStage', () => {
  concurrently('is what the environment of ServiceStage says', async cleanup => {
    const registry = await startRegistry(cleanup);
    const { SERVICE_CENTER_ADDRESS: _, ...environment } = process.env;
    const child = spawn(process.execPath, [script], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...environment,
        ...cas,
        PAAS_CSE_SC_ENDPOINT: `${registry.url}, http://127.0.0.1:1`,
        SERVICECOMB_SERVICE_PROPS: 'component:orders,team:blue',
        SERVICECOMB_INSTANCE_PROPS: 'route:gray,url:http://a:1',
      },
    });
    cleanup.add(async () => child.kill());
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
    expect(line).toBe('registered\n');
    const [instance, ...others] = registry.instances();
    expect(others).toEqual([]);
    expect(instance?.properties).toEqual({ route: 'gray', url: 'http://a:1', ...cas });
    const { services } = registry.dump();
    expect(services.map(({ service }) => service.properties)).toEqual([
      { component: 'orders', team: 'blue' },
    ]);
    child.stdin.end();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(registry.instances()).toEqual([]);
  });
});
