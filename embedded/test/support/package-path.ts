import { resolve } from 'node:path';

/** Returns the path of a file of this package's source tree, wherever the tests run. */
export function packagePath(path: string): string {
  return resolve(import.meta.dirname, '../../../..', path);
}
