import { type RegistryModuleAsyncOptions, RegistryModule } from '../../lib/index.js';

/* Compiled and never run: what users may write as options, and what the compiler must refuse. */

const text: string | undefined = process.env['ANYTHING'];

export const modules = [
  RegistryModule.forRoot(),
  RegistryModule.forRoot({}),
  RegistryModule.forRoot({ isGlobal: undefined, enabled: undefined }),
  // An environment variable fits wherever a text does, set or not.
  RegistryModule.forRoot({
    serviceCenter: {
      project: text,
      domain: text,
      addresses: undefined,
      timeoutMs: undefined,
      tls: { ca: text, caFile: text, certFile: text, keyFile: text, passphrase: text },
      maxAnswerBytes: undefined,
      axios: undefined,
    },
    microservice: {
      appId: text,
      serviceName: text,
      version: text,
      environment: undefined,
      description: text,
      level: undefined,
      alias: text,
      framework: undefined,
      properties: undefined,
      tags: undefined,
      schemas: undefined,
    },
    instance: {
      instanceId: text,
      hostName: text,
      endpoints: undefined,
      address: text,
      preferredNetwork: text,
      status: undefined,
      properties: undefined,
      dataCenter: undefined,
    },
    heartbeat: {
      intervalMs: undefined,
      times: undefined,
      jitter: undefined,
      verifyEvery: undefined,
    },
    registration: {
      when: undefined,
      failFast: undefined,
      retry: { initialMs: undefined, maxMs: undefined, factor: undefined },
    },
    shutdown: { timeoutMs: undefined, drainMs: undefined },
    discovery: {
      pollIntervalMs: undefined,
      watch: undefined,
      keepMs: undefined,
      warmUp: undefined,
      picker: undefined,
      zone: undefined,
      ejection: { failures: undefined, firstMs: undefined, longestMs: undefined, share: undefined },
      providers: {
        greeter: {
          serviceName: text,
          appId: text,
          environment: undefined,
          versionRule: text,
          endpoints: undefined,
          picker: undefined,
          zone: undefined,
        },
      },
    },
  }),
  RegistryModule.forRoot({ discovery: { ejection: false, picker: ([first]) => first } }),
  RegistryModule.forRoot({ serviceCenter: { addresses: [text] } }),
  RegistryModule.forRoot({ profile: undefined }),
  RegistryModule.forRoot({ profile: 'cse-exclusive' }),
  RegistryModule.forRoot({
    serviceCenter: undefined,
    microservice: undefined,
    instance: undefined,
    heartbeat: undefined,
    registration: { retry: undefined },
    shutdown: undefined,
    discovery: undefined,
  }),

  // @ts-expect-error addresses is a list
  RegistryModule.forRoot({ serviceCenter: { addresses: 'http://127.0.0.1:30100' } }),
  // @ts-expect-error versions of TLS below 1.2 are not spoken
  RegistryModule.forRoot({ serviceCenter: { tls: { minVersion: 'TLSv1.1' } } }),
  // @ts-expect-error what goes to axios is a request config
  RegistryModule.forRoot({ serviceCenter: { axios: { headers: 'X-Gateway: blue' } } }),
  // @ts-expect-error a duration is a number of milliseconds
  RegistryModule.forRoot({ heartbeat: { intervalMs: '15s' } }),
  // @ts-expect-error the unit is in the name
  RegistryModule.forRoot({ heartbeat: { interval: 15 } }),
  // @ts-expect-error options are nested in groups
  RegistryModule.forRoot({ serviceName: 'orders' }),
  // @ts-expect-error a picker returns a candidate
  RegistryModule.forRoot({ discovery: { picker: candidates => candidates[9] } }),
  // @ts-expect-error the zones are a closed union
  RegistryModule.forRoot({ discovery: { zone: 'near' } }),
  // @ts-expect-error ejection is switched off by false
  RegistryModule.forRoot({ discovery: { ejection: true } }),
  // @ts-expect-error the profiles are a closed union
  RegistryModule.forRoot({ profile: 'cse' }),
  // @ts-expect-error the environments are a closed union
  RegistryModule.forRoot({ microservice: { environment: 'staging' } }),
  // @ts-expect-error the levels are a closed union
  RegistryModule.forRoot({ microservice: { level: 'TOP' } }),
  // @ts-expect-error the statuses are a closed union
  RegistryModule.forRoot({ instance: { status: 'up' } }),
  // @ts-expect-error a data center has all three fields
  RegistryModule.forRoot({ instance: { dataCenter: { name: 'dc' } } }),
  // @ts-expect-error properties are texts
  RegistryModule.forRoot({ instance: { properties: { weight: 1 } } }),
  // @ts-expect-error when is a closed union
  RegistryModule.forRoot({ registration: { when: 'init' } }),
  // @ts-expect-error failFast is a boolean
  RegistryModule.forRoot({ registration: { failFast: 'true' } }),
  // @ts-expect-error null is no option
  RegistryModule.forRoot({ heartbeat: null }),

  RegistryModule.forRootAsync({ useFactory: () => ({}) }),
  RegistryModule.forRootAsync({
    isGlobal: false,
    useFactory: async () => ({ microservice: { serviceName: text } }),
  }),
  // @ts-expect-error the factory's options are checked, too
  RegistryModule.forRootAsync({ useFactory: () => ({ heartbeat: { intervalMs: '15s' } }) }),
  // @ts-expect-error visibility is known before the factory runs
  RegistryModule.forRootAsync({ isGlobal: 'yes', useFactory: () => ({}) }),
];

class OptionsService {
  createRegistryOptions() {
    return { instance: { hostName: text } };
  }
}

class OtherService {
  createOptions() {
    return {};
  }
}

export const async: readonly RegistryModuleAsyncOptions[] = [
  { useClass: OptionsService },
  { useExisting: OptionsService },
  // @ts-expect-error a factory class has createRegistryOptions()
  { useClass: OtherService },
];
