import { goPattern } from './rule.js';
import type { Pattern, Rule } from './rule.js';
import type { FieldRules, StructRules } from './validation.js';

/** A field that holds text. */
export const text = (name: string, rule: Rule): FieldRules => ({ name, absent: '', rule });

/** A field that holds a number. */
export const int = (name: string, rule: Rule): FieldRules => ({ name, absent: 0, rule });

/** A field that holds a list; of structs when `within` is given. */
export const list = (name: string, rule?: Rule, within?: StructRules): FieldRules => ({
  name,
  absent: [],
  rule,
  within,
});

/** A field that holds a map of texts. */
export const map = (name: string, rule: Rule): FieldRules => ({ name, absent: {}, rule });

/** A field that holds a struct; required with a `rule`. */
export const struct = (name: string, within: StructRules, rule?: Rule): FieldRules => ({
  name,
  absent: undefined,
  rule,
  within,
});

/** The rule of what must be there. */
export const required: Rule = { min: 1 };

const exactVersion = /^\d+(\.\d+){0,3}$/;

/** Up to four numbers of 16 bits without sign (pkg/validate/version_func.go); empty is no version. */
const version: Pattern = {
  text: 'the form x[.y[.z]] where x y and z are 0-32767 range',
  test: value => exactVersion.test(value) && value.split('.').every(part => Number(part) <= 32_767),
};

const fuzzyVersion = /^(\d+(\.\d+){0,2}\+?|\d+(\.\d+){0,2}-\d+(\.\d+){0,2}|latest)?$/;

/** An exact version, all from one on, a range of them, or the latest; it may be empty. */
const versionRule: Pattern = {
  text: "the form x[.y[.z]] or x[.y[.z]]+ or x[.y[.z]]-x[.y[.z]] or 'latest' where x y and z are 0-32767 range",
  test: value =>
    fuzzyVersion.test(value) && (value.match(/\d+/g) ?? []).every(part => Number(part) <= 32_767),
};

const simpleName = goPattern('^[A-Za-z0-9_.-]+$');
const noSpace = goPattern(String.raw`^\S*$`);
const someText = goPattern(String.raw`\S+`);
const name = goPattern(String.raw`^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9]$`);
const nameOrAlias = goPattern(String.raw`^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.:]*[a-zA-Z0-9]$`);

/** The rules that several requests share (server/service/validator). */
export const rules = {
  serviceId: { min: 1, max: 64, pattern: noSpace },
  serviceIds: { min: 1, pattern: goPattern(String.raw`^\S{1,64}$`) },
  optionalServiceId: { max: 64, pattern: noSpace },
  instanceId: { min: 1, max: 64, pattern: goPattern('^[A-Za-z0-9_.-]*$') },
  optionalInstanceId: { max: 64, pattern: goPattern('^[A-Za-z0-9_.-]*$') },
  hostName: { min: 1, max: 64, pattern: someText },
  endpoints: { pattern: someText },
  status: { pattern: goPattern('^(UP|DOWN|STARTING|TESTING|OUTOFSERVICE)?$') },
  newStatus: { pattern: goPattern('^(UP|DOWN|STARTING|TESTING|OUTOFSERVICE)$') },
  mode: { pattern: goPattern('^(push|pull)$') },
  port: { max: 65_535 },
  interval: { min: 1, max: 2_147_483_647 },
  times: { max: 2_147_483_647 },
  url: { pattern: noSpace },
  dataCenterPart: { min: 1, max: 128, pattern: simpleName },
  environment: { pattern: goPattern('^(development|testing|acceptance|production)*$') },
  appId: { min: 1, max: 160, pattern: name },
  optionalAppId: { max: 160, pattern: name },
  serviceName: { min: 1, max: 128, pattern: name },
  wantedName: { min: 1, max: 289, pattern: nameOrAlias },
  version: { min: 1, max: 64, pattern: version },
  versionRule: { max: 128, pattern: versionRule },
  requiredVersionRule: { min: 1, max: 129, pattern: versionRule },
  optionalVersion: { max: 64, pattern: version },
  description: { max: 256 },
  level: { pattern: goPattern('^(FRONT|MIDDLE|BACK)$') },
  serviceStatus: { pattern: goPattern('^(UP|DOWN)?$') },
  schemas: {
    pattern: goPattern(
      String.raw`^[a-zA-Z0-9]{1,160}$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]{0,158}[a-zA-Z0-9]$`,
    ),
  },
  path: { pattern: goPattern(String.raw`^[A-Za-z0-9.,?'\\/+&amp;%$#=~_\-@{}]*$`) },
  alias: { max: 128, pattern: goPattern(String.raw`^[a-zA-Z0-9_\-.:]*$`) },
  registerBy: { max: 64, pattern: goPattern('^(SDK|SIDECAR|PLATFORM)*$') },
  frameworkName: { max: 64, pattern: name },
  frameworkVersion: { max: 64 },
  tag: { pattern: goPattern(String.raw`^[a-zA-Z][a-zA-Z0-9_\-.]{0,63}$`) },
  schemaId: {
    min: 1,
    max: 160,
    pattern: goPattern(String.raw`^[a-zA-Z0-9]+$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9]$`),
  },
  summary: { min: 1, max: 128, pattern: goPattern('^[a-zA-Z0-9]*$') },
  optionalSummary: { max: 128, pattern: goPattern('^[a-zA-Z0-9]*$') },
} as const satisfies Record<string, Rule>;
