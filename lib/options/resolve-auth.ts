import { matching, text } from './check.js';
import { open, reject, type Field } from './field.js';
import type { ResolvedAuth } from './resolved-options.js';

/** The options of each form of credentials. */
const forms = [
  { kind: 'account', names: ['username', 'password', 'passwordFile'] },
  { kind: 'keyPair', names: ['accessKey', 'secretKey', 'project'] },
  { kind: 'token', names: ['token'] },
  { kind: 'headers', names: ['headers'] },
] as const;
const optionNames = forms.flatMap(({ names }) => [...names]);

const username = matching(
  /^[^\p{Cc}\ufeff]{1,64}$/u,
  'must be 1 to 64 characters without a line break or another control character',
);
const file = matching(/\S/, 'must be the path of a file');
const project = matching(
  /^[^\p{Surrogate}\p{Cc}\ufeff]{1,64}$/u,
  'must be 1 to 64 characters without a line break or another control character',
);
const headerSecret = /^[\x21-\x7e]+$/;
/** The registry would take the login for a wrong password, and ban the account at the third. */
const password = /^(?=.*\S)[^\p{Cc}\ufeff]+$/u;

/** Resolves the option `serviceCenter.auth`. No issue shows a secret. */
export function resolveAuth(group: Field): ResolvedAuth | undefined {
  if (typeof group.value === 'string') return hidden(group, 'must be an object');
  const option = open(group, optionNames);
  if (option === undefined) return undefined;
  const given = forms.filter(({ names }) => names.some(name => option(name).value !== undefined));
  const [form, ...others] = given;
  const must =
    'must be one of { username, password }, { username, passwordFile }, ' +
    '{ accessKey, secretKey }, { token } and { headers }';
  if (form === undefined || others.length > 0)
    return reject({ ...group, value: `${given.length} of them` }, must);
  return resolvers[form.kind](option);
}

type Option = (name: (typeof optionNames)[number]) => Field;
type Secret = () => Promise<unknown>;

const resolvers: Record<ResolvedAuth['kind'], (option: Option) => ResolvedAuth | undefined> = {
  account: option => {
    const name = required(option('username'), field => text(field, username));
    const must = 'must be a text without a line break, or a function that returns one';
    const given = secret(option('password'), must, password);
    const passwordFile = text(option('passwordFile'), file);
    if ((option('password').value === undefined) === (option('passwordFile').value === undefined))
      reject(
        { ...option('password'), value: undefined },
        'or passwordFile must be set, and not both',
      );
    return { kind: 'account', username: name ?? '', password: given, passwordFile };
  },
  keyPair: option => {
    const accessKey = required(option('accessKey'), visible);
    const secretKey = required(option('secretKey'), visible);
    return {
      kind: 'keyPair',
      accessKey: () => accessKey ?? '',
      secretKey: () => secretKey ?? '',
      project: text(option('project'), project),
    };
  },
  token: option => {
    const must = 'must be a text of visible ASCII characters or a function that returns one';
    const token = secret(option('token'), must, headerSecret);
    return token && { kind: 'token', token };
  },
  headers: option => {
    const { value } = option('headers');
    if (isFunction(value)) return { kind: 'headers', headers: async () => value() };
    return hidden(option('headers'), 'must be a function that returns an object of headers');
  },
};

function required<T>(field: Field, check: (field: Field) => T | undefined): T | undefined {
  return field.value === undefined ? reject(field, 'must be set') : check(field);
}

function visible(field: Field): string | undefined {
  const { value } = field;
  return typeof value === 'string' && headerSecret.test(value)
    ? value
    : hidden(field, 'must be visible ASCII characters');
}

/** Resolves a text, or a function that returns one, to a function: no copy of the options shows it. */
function secret(field: Field, must: string, pattern: RegExp): Secret | undefined {
  const { value } = field;
  if (value === undefined) return undefined;
  if (isFunction(value)) return async () => value();
  return typeof value === 'string' && pattern.test(value)
    ? () => Promise.resolve(value)
    : hidden(field, must);
}

/** Adds an issue that says of what kind the value is, and shows nothing of it. */
function hidden({ path, value, issues }: Field, must: string): undefined {
  issues.push({ path, message: `${must}, got ${kindOf(value)}` });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value !== 'string') return `a ${typeof value}`;
  if (value === '') return 'an empty text';
  if (value.trim() === '') return 'nothing but white space';
  if (/[\r\n]$/.test(value)) return 'a text with a line break at its end';
  if (value.includes('\ufeff')) return 'a text with a byte order mark';
  return /\p{Cc}/u.test(value) ? 'a text with a control character' : 'a text that is not shown';
}

function isFunction(value: unknown): value is () => unknown {
  return typeof value === 'function';
}
