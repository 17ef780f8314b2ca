import { HttpService } from '@nestjs/axios';
import { Logger, type Provider } from '@nestjs/common';
import { createCredentials } from '../credentials/credentials.js';
import { readHostFacts } from '../options/host-facts.js';
import type { RegistryModuleOptions } from '../options/options.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { resolveOptions } from '../options/resolve-options.js';
import { AddressBook } from '../protocol/address-book.js';
import { Channel, type Send } from '../protocol/channel.js';
import { ServiceCenterClient } from '../protocol/service-center.client.js';
import { AddressLearner } from '../registration/address-learner.js';
import type { Clock } from '../registration/clock.js';
import type { Listing } from '../registration/listing.js';
import { Pace } from '../registration/pace.js';
import { RegistrationCore } from '../registration/registration-core.js';
import { Connections, createPrivateAxios, secretsBeside, sendThrough } from '../transport/http.js';
import { version } from '../version.js';
import { EventPublisher } from './event.publisher.js';
import { Registration } from './registration.js';
import { RegistryHealthIndicator } from './registry.health.js';
import { MODULE_OPTIONS_TOKEN } from './registry.module-definition.js';
import { systemClock, Ticker, waitIdly } from './ticker.js';
import {
  REGISTRY_CLOCK,
  REGISTRY_HTTP_SERVICE,
  REGISTRY_LOGGER,
  REGISTRY_OPTIONS,
  type RegistryLogger,
} from './tokens.js';

/** The composition root: how each part gets what it works with. Nothing here starts anything. */
export const registryProviders: Provider[] = [
  {
    provide: REGISTRY_LOGGER,
    useFactory: () => new Logger('Registry'),
  },
  { provide: REGISTRY_CLOCK, useValue: systemClock },
  {
    provide: REGISTRY_OPTIONS,
    inject: [MODULE_OPTIONS_TOKEN],
    useFactory: (options: RegistryModuleOptions) => resolveOptions(options, readHostFacts()),
  },
  {
    provide: Connections,
    inject: [REGISTRY_OPTIONS],
    useFactory: ({ serviceCenter }: ResolvedOptions) => new Connections(serviceCenter),
  },
  {
    provide: REGISTRY_HTTP_SERVICE,
    inject: [REGISTRY_OPTIONS, Connections],
    useFactory: ({ serviceCenter }: ResolvedOptions, connections: Connections) =>
      new HttpService(createPrivateAxios(connections, serviceCenter)),
  },
  {
    provide: Channel,
    inject: [REGISTRY_OPTIONS, REGISTRY_HTTP_SERVICE, Connections],
    useFactory: ({ serviceCenter }: ResolvedOptions, http: HttpService, connections: Connections) =>
      createChannel(serviceCenter, sendThrough(http, connections)),
  },
  {
    provide: ServiceCenterClient,
    inject: [Channel],
    useFactory: (channel: Channel) => new ServiceCenterClient(channel),
  },
  {
    provide: EventPublisher,
    inject: [REGISTRY_LOGGER],
    useFactory: (logger: Logger) => new EventPublisher(logger),
  },
  {
    provide: RegistrationCore,
    inject: [
      REGISTRY_OPTIONS,
      ServiceCenterClient,
      Channel,
      EventPublisher,
      REGISTRY_LOGGER,
      REGISTRY_CLOCK,
    ],
    useFactory: createCore,
  },
  {
    provide: Ticker,
    inject: [RegistrationCore, REGISTRY_LOGGER, REGISTRY_OPTIONS],
    useFactory: (core: RegistrationCore, logger: Logger, { heartbeat }: ResolvedOptions) =>
      new Ticker(core, logger, heartbeat.intervalMs),
  },
  Registration,
  RegistryHealthIndicator,
];

function createChannel(serviceCenter: ResolvedOptions['serviceCenter'], send: Send): Channel {
  const { project, domain, timeoutMs, maxAnswerBytes, addresses } = serviceCenter;
  const userAgent = `nestjs-servicecomb/${version}`;
  const secrets = () => secretsBeside(serviceCenter);
  const settings = { project, domain, timeoutMs, maxAnswerBytes, userAgent, secrets };
  const clock = { now: () => systemClock.now(), random: Math.random };
  const parts = { send, settings, clock, delay: waitIdly };
  const credentials = createCredentials(serviceCenter.auth, parts);
  return new Channel(send, new AddressBook(addresses), settings, credentials);
}

function createCore(
  options: ResolvedOptions,
  client: ServiceCenterClient,
  channel: Channel,
  publisher: EventPublisher,
  logger: RegistryLogger,
  clock: Clock,
): RegistrationCore {
  const { enabled, heartbeat, registration, shutdown } = options;
  const settings = {
    enabled,
    verifyEvery: heartbeat.verifyEvery,
    failFast: registration.failFast,
    leaveTimeoutMs: shutdown.timeoutMs,
  };
  const { dataCenter } = options.instance;
  const pace = new Pace({ ...heartbeat, retry: registration.retry }, Math.random);
  const core = new RegistrationCore(listingOf(options), settings, {
    client,
    caller: channel,
    clock,
    pace,
    publish: (fact, context) => publisher.publish(fact, context),
    warn: message => logger.warn(message),
  });
  if (options.serviceCenter.learnAddresses) {
    const parts = { client, addresses: channel.addresses, dataCenter, random: Math.random };
    core.accompany(new AddressLearner({ ...parts, clock }));
  }
  return core;
}

function listingOf({ microservice, instance, heartbeat }: ResolvedOptions): Listing {
  const { tags, ...service } = microservice;
  const { instanceId, hostName, endpoints, status, properties, dataCenter } = instance;
  const interval = heartbeat.intervalMs / 1_000;
  return {
    microservice: { ...service, registerBy: 'SDK' },
    tags,
    instance: {
      instanceId,
      hostName,
      endpoints: endpoints ?? [],
      status,
      properties,
      dataCenterInfo: dataCenter,
      healthCheck: { mode: 'push', interval, times: heartbeat.times },
    },
  };
}
