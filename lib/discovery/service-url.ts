/** A URL that names a provider in place of a host. */
export interface ServiceUrl {
  readonly name: string;
  /** What is before the name, such as `user:password@`; empty for none. */
  readonly userInfo: string;
  /** Path, query and fragment, as they were written; may be empty. */
  readonly rest: string;
  /** Whether `https:` was written: secure endpoints only. With other schemes, any endpoint. */
  readonly isSecure: boolean;
}

/** Names of services begin and end with a letter or a digit (server/service/validator). */
const grammar =
  /^(https?|cse|servicecomb):\/\/([^/?#\\]*@)?([a-z\d](?:[\w.-]*[a-z\d])?)(?=[/?#]|$)/i;

/** An IPv4 address in each form that `URL` reads: 10.0.0.7, 127.1, 0x7f.1, 2130706433. */
const ipv4 = /^(?:0x[\da-f]*|\d+)(?:\.(?:0x[\da-f]*|\d+)){0,3}$/i;

/**
 * Reads the name of a provider from the text of a URL. `URL` itself would put it into lower case, and names
 * are case-sensitive. Returns undefined for a URL that is to be passed on as it is: one with a port, an IP
 * address, `localhost`, or another scheme.
 */
export function serviceUrl(text: string): ServiceUrl | undefined {
  const [beginning, scheme = '', userInfo = '', name = ''] = grammar.exec(text) ?? [];
  if (beginning === undefined || name.toLowerCase() === 'localhost' || ipv4.test(name))
    return undefined;
  const isSecure = scheme.toLowerCase() === 'https';
  return { name, userInfo, rest: text.slice(beginning.length), isSecure };
}
