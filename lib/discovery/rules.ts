import { parseEndpoint } from './endpoint.js';
import { pickers } from './pickers.js';
import { parseVersionRule } from './version-rule.js';

/** What the options of discovery are checked with, since `options/` knows only its types. */
export const discoveryRules = {
  picker: pickers.balanced,
  isVersionRule: (text: string): boolean => parseVersionRule(text) !== undefined,
  isEndpoint: (text: string): boolean => parseEndpoint(text) !== undefined,
};
