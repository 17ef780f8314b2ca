import { HttpService } from '@nestjs/axios';
import { Logger, type Provider } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { RegistryOptionsError } from '../errors.js';
import { EventPublisher, RegistryEvents } from '../events.js';
import { createCredentials } from '../credentials/credentials.js';
import { DiscoveryCore, noticedEvents } from '../discovery/core.js';
import { discoveryRules } from '../discovery/rules.js';
import { Watcher, type WatcherParts } from '../discovery/watcher.js';
import { readHostFacts } from '../options/host-facts.js';
import type { RegistryModuleOptions } from '../options/options.js';
import { isHostOpen } from '../options/published-address.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { type OptionRules, resolveOptions } from '../options/resolve-options.js';
import { AddressBook } from '../protocol/address-book.js';
import { Channel, type Send } from '../protocol/channel.js';
import { ServiceCenterClient } from '../protocol/service-center.client.js';
import { AddressLearner } from '../registration/address-learner.js';
import type { Clock } from '../background/clock.js';
import { RegistrationCore } from '../registration/core.js';
import { Pace } from '../registration/pace.js';
import type { RegistryRecord } from '../registration/record.js';
import { schemaProblem } from '../protocol/schema-documents.js';
import { Connections, createPrivateAxios, secretsBeside, sendThrough } from '../transport/http.js';
import { openSocketOver } from '../transport/web-socket.js';
import { Discovery } from './discovery.js';
import { Registration } from './registration.js';
import { RegistryHealthIndicator } from './registry.health.js';
import { RemovedEndpoints } from './removed-endpoints.js';
import { startTimer, systemClock, Ticker, waitIdly } from './ticker.js';
import {
  REGISTRY_CLOCK,
  REGISTRY_HTTP_SERVICE,
  REGISTRY_IN_PLACE,
  REGISTRY_LOGGER,
  REGISTRY_MODULE_OPTIONS,
  REGISTRY_OPTIONS,
} from './tokens.js';
import { Tracing } from './tracing.js';

/** What options are checked with that other folders know about. */
export const optionRules: OptionRules = { ...discoveryRules, schemaProblem };

/** The composition root: creates each part with its collaborators. Nothing is started here. */
export const registryProviders: Provider[] = [
  { provide: REGISTRY_LOGGER, useFactory: () => new Logger('Registry') },
  { provide: REGISTRY_CLOCK, useValue: systemClock },
  Tracing,
  {
    provide: REGISTRY_OPTIONS,
    inject: [REGISTRY_MODULE_OPTIONS, ModuleRef],
    useFactory: (options: RegistryModuleOptions | undefined, modules: ModuleRef) =>
      resolveOptions(optionsInUse(options, modules), readHostFacts(), optionRules),
  },
  {
    provide: Connections,
    inject: [REGISTRY_OPTIONS],
    useFactory: ({ serviceCenter }: ResolvedOptions) => new Connections(serviceCenter, startTimer),
  },
  {
    provide: REGISTRY_HTTP_SERVICE,
    inject: [REGISTRY_OPTIONS, Connections],
    useFactory: ({ serviceCenter }: ResolvedOptions, connections: Connections) =>
      new HttpService(createPrivateAxios(connections, serviceCenter)),
  },
  {
    provide: Channel,
    inject: [REGISTRY_OPTIONS, REGISTRY_HTTP_SERVICE, Tracing],
    useFactory: ({ serviceCenter }: ResolvedOptions, http: HttpService, tracing: Tracing) =>
      createChannel(serviceCenter, sendThrough(http, tracing)),
  },
  {
    provide: ServiceCenterClient,
    inject: [Channel],
    useFactory: (channel: Channel) => new ServiceCenterClient(channel),
  },
  {
    provide: EventPublisher,
    inject: [REGISTRY_LOGGER, REGISTRY_OPTIONS],
    useFactory: (logger: Logger, { serviceCenter }: ResolvedOptions) =>
      new EventPublisher(logger, serviceCenter.addressesFrom),
  },
  {
    provide: Pace,
    inject: [REGISTRY_OPTIONS],
    useFactory: (options: ResolvedOptions) => new Pace(options, Math.random),
  },
  {
    provide: RemovedEndpoints,
    inject: [EventPublisher],
    useFactory: createRemovedEndpoints,
  },
  {
    provide: DiscoveryCore,
    inject: [
      REGISTRY_OPTIONS,
      Channel,
      Connections,
      ServiceCenterClient,
      REGISTRY_CLOCK,
      EventPublisher,
      Tracing,
    ],
    useFactory: createDiscovery,
  },
  {
    provide: RegistrationCore,
    inject: [REGISTRY_OPTIONS, ServiceCenterClient, Channel, EventPublisher, REGISTRY_CLOCK, Pace],
    useFactory: createCore,
  },
  {
    provide: Ticker,
    inject: [RegistrationCore, DiscoveryCore, REGISTRY_LOGGER, Pace, REGISTRY_CLOCK],
    useFactory: (
      core: RegistrationCore,
      discovery: DiscoveryCore,
      logger: Logger,
      pace: Pace,
      clock: Clock,
    ) => new Ticker(core, logger, pace.turnPeriodMs, clock, [discovery]),
  },
  Registration,
  Discovery,
  RegistryHealthIndicator,
];

/**
 * Returns the given options, but disabled when a test has replaced RegistryModule: what the application injects
 * is still there, and does nothing.
 */
function optionsInUse(
  options: RegistryModuleOptions | null | undefined,
  modules: ModuleRef,
): RegistryModuleOptions {
  if (options === undefined || options === null)
    throw new RegistryOptionsError([
      {
        path: 'RegistryModule.forRootAsync()',
        message: `must be given the options by its factory, which returned ${options}; {} means the defaults`,
      },
    ]);
  return isInPlace(modules) ? options : { ...options, enabled: false };
}

function isInPlace(modules: ModuleRef): boolean {
  try {
    return modules.get<boolean>(REGISTRY_IN_PLACE, { strict: false });
  } catch {
    return false; // Nest throws when no module provides it.
  }
}

function createChannel(serviceCenter: ResolvedOptions['serviceCenter'], send: Send): Channel {
  const { project, domain, timeoutMs, maxAnswerBytes, addresses } = serviceCenter;
  const secrets = () => secretsBeside(serviceCenter);
  const network = { project, domain, timeoutMs, maxAnswerBytes };
  const settings = { ...network, secrets, clock: systemClock };
  const clock = { now: () => systemClock.now(), random: Math.random };
  const parts = { send, settings, clock, delay: waitIdly };
  const credentials = createCredentials(serviceCenter.auth, parts);
  return new Channel(send, new AddressBook(addresses), settings, credentials);
}

/** Nothing is asked, timed or opened before the first question. */
function createDiscovery(
  { discovery, serviceCenter }: ResolvedOptions,
  channel: Channel,
  connections: Connections,
  client: ServiceCenterClient,
  clock: Clock,
  publisher: EventPublisher,
  tracing: Tracing,
): DiscoveryCore {
  const request: WatcherParts['request'] = (consumerId, options) =>
    channel.watchRequest(consumerId, options);
  const openSocket = openSocketOver(connections, serviceCenter);
  const open: typeof openSocket = (handshake, events) => {
    const work = () => openSocket(handshake, events);
    return tracing.tracer === undefined ? work() : tracing.tracer.background(work);
  };
  const parts = { clock, random: Math.random };
  const core = new DiscoveryCore(discovery, {
    ...parts,
    client,
    publisher,
    watcher: events => new Watcher(open, { ...parts, request }, events),
  });
  publisher.follow(noticedEvents, (event, context) => core.notice(event, context));
  return core;
}

function createRemovedEndpoints(publisher: EventPublisher): RemovedEndpoints {
  const removed = new RemovedEndpoints();
  publisher.follow([RegistryEvents.DiscoveryChanged], event => removed.note(event));
  return removed;
}

function createCore(
  options: ResolvedOptions,
  client: ServiceCenterClient,
  channel: Channel,
  publisher: EventPublisher,
  clock: Clock,
  pace: Pace,
): RegistrationCore {
  const parts = { client, channel, clock, pace, publisher };
  const core = new RegistrationCore(recordOf(options), options, parts);
  if (options.serviceCenter.learnAddresses) {
    const { addresses } = channel;
    const { dataCenter } = options.instance;
    core.addBackgroundWork(new AddressLearner({ client, addresses, clock, pace, dataCenter }));
  }
  return core;
}

function recordOf({ microservice, instance, heartbeat }: ResolvedOptions): RegistryRecord {
  const { tags, ...service } = microservice;
  const { instanceId, hostName, status, properties } = instance;
  // Others are published once their host is known.
  const endpoints = isHostOpen(instance) ? [] : (instance.endpoints ?? []);
  const dataCenterInfo = instance.dataCenter;
  const interval = heartbeat.intervalMs / 1_000;
  const healthCheck = { mode: 'push', interval, times: heartbeat.times } as const;
  return {
    microservice: { ...service, registerBy: 'SDK' },
    tags,
    instance: { instanceId, hostName, endpoints, status, properties, dataCenterInfo, healthCheck },
  };
}
