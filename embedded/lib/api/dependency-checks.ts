import { list, required, rules, struct, text } from './field-rules.js';
import type { StructRules } from './validation.js';

const consumer: StructRules = {
  type: 'MicroServiceKey',
  fields: [
    text('Environment', rules.environment),
    text('AppId', rules.appId),
    text('ServiceName', rules.serviceName),
    text('Version', rules.version),
  ],
};

const provider: StructRules = {
  type: 'MicroServiceKey',
  fields: [
    text('Environment', rules.environment),
    text('AppId', rules.optionalAppId),
    text('ServiceName', rules.serviceName),
    text('Version', rules.versionRule),
  ],
};

const dependencies = { min: 1, max: 100 };

/**
 * How the writes of dependencies are checked (server/service/validator/dependency_validator.go).
 * Only adding asks for providers: to put none is how a consumer gives up all it depends on.
 */
export const dependencyRules = {
  add: {
    type: 'AddDependenciesRequest',
    fields: [
      list('Dependencies', dependencies, {
        type: 'ConsumerDependency',
        fields: [struct('Consumer', consumer, required), list('Providers', { min: 1 }, provider)],
      }),
    ],
  },
  put: {
    type: 'CreateDependenciesRequest',
    fields: [
      list('Dependencies', dependencies, {
        type: 'ConsumerDependency',
        fields: [struct('Consumer', consumer, required), list('Providers', undefined, provider)],
      }),
    ],
  },
} as const satisfies Record<string, StructRules>;
