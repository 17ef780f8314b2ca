/** A way in which other registry clients break, and the tests that show that this one does not. */
export interface FieldRow {
  readonly failure: string;
  /** Names of tests, by the file that has them. */
  readonly tests: Readonly<Record<string, readonly string[]>>;
}

const heartbeat = 'test/e2e/heartbeat.spec.ts';
const registration = 'test/e2e/registration.spec.ts';
const shutdown = 'test/e2e/shutdown.spec.ts';
const processWide = 'test/e2e/process.spec.ts';

/** All that are known, seen in one or more of the clients of Eureka, Nacos, Consul and etcd. */
export const fieldRows: readonly FieldRow[] = [
  {
    failure: 'heartbeats overlap',
    tests: { [heartbeat]: ['is never sent while another is under way, nor any other write'] },
  },
  {
    failure: 'a hang never counts as a failure',
    tests: { [heartbeat]: ['that hangs has failed within its deadline'] },
  },
  {
    failure: 'the deadline does not bound an answer that trickles',
    tests: {
      'test/e2e/scenarios.slow.ts': [
        'an answer that trickles in has failed at the deadline of its heartbeat',
      ],
    },
  },
  {
    failure: 'several registrations for one loss',
    tests: {
      [heartbeat]: ['leads to one registration even when the registry says so late and often'],
    },
  },
  {
    failure: 'registers again after it was stopped',
    tests: {
      [shutdown]: [
        'does not register again when a heartbeat is answered "forgotten" while it leaves',
      ],
      'test/e2e/scenarios.slow.ts': ['T7 ends a re-registration under way with the removal'],
    },
  },
  {
    failure: 'never registered when the first attempt failed',
    tests: {
      [registration]: [
        'does not keep the application from starting, and gets the instance once it is up',
      ],
    },
  },
  {
    failure: 'the application neither starts nor stops while the registry is down',
    tests: { [registration]: ['does not keep the application from stopping'] },
  },
  {
    failure: 'stopped during its registration, and listed for good',
    tests: {
      [shutdown]: [
        'lets a first registration under way land, and removes it',
        'cuts off a registration that takes too long, and removes what it may have left',
        'removes a registration that lands after it was cut off',
      ],
    },
  },
  {
    failure: 'another id with each registration',
    tests: {
      [heartbeat]: [
        'of a forgotten instance leads to one registration, under the same id',
        'leads to the service first when that is gone too',
      ],
    },
  },
  {
    failure: 'leaves the registry after HTTP has closed',
    tests: { [shutdown]: ['still answers HTTP when the removal arrives'] },
  },
  {
    failure: 'the removal blocks the shutdown',
    tests: { [shutdown]: ['is bounded by shutdown.timeoutMs when the registry hangs'] },
  },
  {
    failure: 'registers before it listens, or with another port',
    tests: {
      [registration]: [
        'publishes the port that listen(0) really got',
        'sends nothing before it listens',
      ],
    },
  },
  {
    failure: 'failures cannot be seen',
    tests: {
      'test/e2e/events.spec.ts': ['tell the life of an instance in order'],
      'test/e2e/health.spec.ts': ['is up and degraded while heartbeats fail and the lease lives'],
      [processWide]: ['has a line once a change, not once a beat'],
    },
  },
  {
    failure: 'imported twice, beats twice',
    tests: {
      [heartbeat]: ['is sent once a period when ScheduleModule is imported twice'],
      'test/e2e/module.spec.ts': ['is one RegistryModule.forRoot(), not two'],
    },
  },
  {
    failure: 'timers keep the process alive',
    tests: {
      [processWide]: ['leaves no timer and no interval behind'],
      'test/e2e/leaving-process.spec.ts': ['is not kept alive by its heartbeat'],
    },
  },
  {
    failure: 'listeners pile up on a signal that lives long',
    tests: {
      'test/unit/transport/http.spec.ts': ['leaves no listener on the signal of 3,000 requests'],
    },
  },
  {
    failure: 'changes the axios of the whole process',
    tests: { [processWide]: ['leaves the process-wide axios alone'] },
  },
  {
    failure: 'publishes an address that nobody else reaches',
    tests: {
      'test/unit/options/published-address.spec.ts': [
        'is no IPv6 address of an interface when the server listens on IPv4 alone',
        'comes with a warning when only this machine reaches it and the registry is elsewhere',
      ],
    },
  },
];
