import { HttpService } from '@nestjs/axios';
import { lastValueFrom } from 'rxjs';
import { DiscoveryHttpModule } from '../../lib/index.js';
import { RegistryTracingModule } from '../../lib/tracing/index.js';
import { instrumentHttp, type OutgoingRequest } from './host-instrumentation.js';
import { startProvider } from './providers.js';
import { Cleanup, optionsFor, startApp, startRegistry } from './test-app.js';
import { TraceRecorder } from './trace-recorder.js';

// An application whose HTTP is instrumented; prints the spans, and the headers that a provider has received.

const [mode] = process.argv.slice(2);

/** As docs/tracing.md has it. */
const isOfRegistry = ({ headers }: OutgoingRequest) =>
  String(Object(headers)['User-Agent']).startsWith('nestjs-servicecomb/');

const heartbeat = 'servicecomb.heartbeat.succeeded';
const recorder = new TraceRecorder();
instrumentHttp(isOfRegistry);
const cleanup = new Cleanup();
const registry = await startRegistry(cleanup);
const provider = await startProvider(cleanup, registry);
const imports = [
  DiscoveryHttpModule.register(),
  ...(mode === 'traced' ? [RegistryTracingModule.forRoot()] : []),
];
const { app, registration, events } = await recorder.within('start', () =>
  startApp(cleanup, optionsFor(registry.url), { imports }),
);

await recorder.within('call', () => {
  const http = app.get(HttpService);
  return lastValueFrom(http.get('http://greeter/hello'));
});
await recorder.within('operator', () => registration.setStatus('OUTOFSERVICE'));
await events.nth('servicecomb.watch.opened');
await events.nth(heartbeat, events.of(heartbeat).length + 1);
await cleanup.run();
const received = provider.received.map(({ headers }) => headers);
console.log(JSON.stringify({ spans: recorder.spans, received }));
