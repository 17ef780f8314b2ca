import { matching, oneOf, requiredText, text, textByKey, texts } from './check.js';
import { defaults } from './defaults.js';
import { members, open, orElse, orVariable, type Field } from './field.js';
import type { HostFacts } from './host-facts.js';
import { resolveProperties } from './resolve-properties.js';
import type { ResolvedOptions } from './resolved-options.js';

// The rules are those of the registry (server/service/validator/microservice_validator.go), except that
// a text must not be empty where the registry takes an empty one for an absent one.
/** The rule for the name of an application. */
export const appId = nameRule(160);
/** The rule for the name of a service. */
export const serviceName = nameRule(128);
const frameworkName = nameRule(64);
const frameworkVersion = matching(/^[^]{0,64}$/u, 'must be at most 64 characters');
const description = matching(/^[^]{0,256}$/u, 'must be at most 256 characters');
const alias = matching(
  /^[a-zA-Z0-9_\-.:]{0,128}$/,
  'must be at most 128 letters, digits, "_", "-", "." and ":"',
);
const schemaId = nameRule(160);
const tag = matching(
  /^[a-zA-Z][a-zA-Z0-9_\-.]{0,63}$/,
  'must be 1 to 64 letters, digits, "_", "-" and ".", a letter first',
);
const version = {
  must: 'must be one to four numbers up to 32767, separated by dots',
  accepts: (candidate: string) =>
    /^\d+(\.\d+){0,3}([-+][\w.+-]*)?$/.test(candidate) && fits(withoutPreRelease(candidate)),
};

type Resolved = ResolvedOptions['microservice'];

/** Resolves the group `microservice`. */
export function resolveMicroservice(group: Field, facts: HostFacts): Resolved {
  const { microservice } = defaults;
  const option = members(group, microservice);
  return {
    appId:
      text(orVariable(option('appId'), facts.env, 'SERVICECOMB_APP_ID'), appId) ??
      microservice.appId,
    serviceName: resolveName(nameField(option, facts), facts.packageName),
    version: resolveVersion(versionField(option, facts), facts.packageVersion),
    environment: oneOf(option('environment'), environments) ?? microservice.environment,
    description: text(option('description'), description) ?? microservice.description,
    level: oneOf(option('level'), ['FRONT', 'MIDDLE', 'BACK']) ?? microservice.level,
    alias: text(option('alias'), alias) ?? microservice.alias,
    framework: resolveFramework(option('framework'), facts.frameworkVersion),
    properties: resolveProperties(option('properties'), facts.env, 'SERVICECOMB_SERVICE_PROPS'),
    tags: textByKey(option('tags'), { key: tag, value: tag, most: 100 }),
    schemas: texts(option('schemas'), schemaId, 100) ?? [...microservice.schemas],
  };
}

type Option = (name: 'serviceName' | 'version') => Field;

function nameField(option: Option, { env }: HostFacts): Field {
  return orVariable(option('serviceName'), env, 'SERVICECOMB_SERVICE_NAME');
}

function versionField(option: Option, { env }: HostFacts): Field {
  return orVariable(option('version'), env, 'SERVICECOMB_VERSION');
}

/**
 * Returns a warning when name or version come from the package.json of a workspace: every application in it
 * that sets none would be the same service.
 */
export function workspaceWarning(group: Field, facts: HostFacts): string | undefined {
  const { workspace, packageName, packageVersion } = facts;
  if (workspace === undefined) return undefined;
  const option = members(group, defaults.microservice);
  const inherited = [
    { name: 'serviceName', field: nameField(option, facts), value: packageName },
    { name: 'version', field: versionField(option, facts), value: packageVersion },
  ].filter(({ field, value }) => field.value === undefined && value !== undefined);
  if (inherited.length === 0) return undefined;
  const taken = inherited.map(({ name, value }) => `microservice.${name} ${JSON.stringify(value)}`);
  return (
    `${taken.join(' and ')} come from the package.json of a workspace (${workspace.sign} in ` +
    `${workspace.directory}), which all its applications share: set microservice.serviceName and ` +
    'microservice.version, or SERVICECOMB_SERVICE_NAME and SERVICECOMB_VERSION, for each application'
  );
}

/** The environments that the registry knows. */
export const environments = ['', 'development', 'testing', 'acceptance', 'production'] as const;

function nameRule(most: number) {
  return matching(
    new RegExp(`^(?=.{1,${most}}$)[a-zA-Z0-9]([a-zA-Z0-9_\\-.]*[a-zA-Z0-9])?$`),
    `must be 1 to ${most} letters, digits, "_", "-" and ".", a letter or digit first and last`,
  );
}

function resolveName(field: Field, packageName: string | undefined): string {
  const unscoped = packageName?.replace(/^@[^/]*\//, '');
  const named = orElse(field, unscoped, 'the name in package.json');
  if (named.value !== undefined) return requiredText(named, serviceName);
  const message = 'must be set, since no package.json with a name was found near the process';
  field.issues.push({ path: field.path, message });
  return '';
}

function resolveVersion(field: Field, packageVersion: string | undefined): string {
  const versioned = orElse(field, packageVersion, 'the version in package.json');
  return withoutPreRelease(text(versioned, version) ?? defaults.microservice.version);
}

function withoutPreRelease(semver: string): string {
  return semver.replace(/[-+].*$/, '');
}

function fits(numbers: string): boolean {
  return numbers.length <= 64 && numbers.split('.').every(number => Number(number) <= 32_767);
}

/** Both fields or neither: the version of NestJS is wrong for any other framework. */
function resolveFramework(group: Field, nestVersion = ''): Resolved['framework'] {
  const { framework } = defaults.microservice;
  const option = open(group, ['name', 'version']);
  if (option === undefined) return { name: framework.name, version: nestVersion };
  return {
    name: requiredText(option('name'), frameworkName),
    version: requiredText(option('version'), frameworkVersion),
  };
}
