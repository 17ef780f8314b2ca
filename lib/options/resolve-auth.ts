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

const username = matching(/^[^\p{Cc}]{1,64}$/u, 'must be 1 to 64 characters');
const file = matching(/\S/, 'must be the path of a file');
const project = matching(/^\P{Surrogate}{1,64}$/u, 'must be 1 to 64 characters');
const headerSecret = /^[\x21-\x7e]+$/;

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
    const password = secret(option('password'), 'must be a text or a function that returns one');
    const passwordFile = text(option('passwordFile'), file);
    if ((option('password').value === undefined) === (option('passwordFile').value === undefined))
      reject(
        { ...option('password'), value: undefined },
        'or passwordFile must be set, and not both',
      );
    return { kind: 'account', username: name ?? '', password, passwordFile };
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
function secret(field: Field, must: string, pattern = /^[^]+$/): Secret | undefined {
  const { value } = field;
  if (value === undefined) return undefined;
  if (isFunction(value)) return async () => value();
  return typeof value === 'string' && pattern.test(value)
    ? () => Promise.resolve(value)
    : hidden(field, must);
}

function hidden(field: Field, must: string): undefined {
  return reject({ ...field, value: '***' }, must);
}

function isFunction(value: unknown): value is () => unknown {
  return typeof value === 'function';
}
