import { join, resolve } from 'node:path';
import { runCommand } from './command.js';

/** The packages of this repository, each with its folder. */
const folders = {
  'nestjs-servicecomb': '.',
  'embedded-service-center': 'embedded',
} as const;

export type Package = keyof typeof folders;

export const packages: readonly Package[] = ['nestjs-servicecomb', 'embedded-service-center'];

/** A packed package. */
export interface Tarball {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes. */
  readonly unpackedSize: number;
  /** Paths below the package. */
  readonly files: readonly string[];
}

/** Packs what the build has left in `dist`: the scripts that run these tests have built it. */
export async function pack(name: Package, destination: string): Promise<Tarball> {
  const cwd = resolve(folders[name]);
  const printed = await runCommand(
    ['npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', destination],
    { cwd },
  );
  const [packed] = JSON.parse(printed) as readonly PackedByNpm[];
  if (packed === undefined) throw new Error(`npm pack printed ${printed}`);
  const { filename, size, unpackedSize, files } = packed;
  const paths = files.map(({ path }) => path).sort();
  return { path: join(destination, filename), size, unpackedSize, files: paths };
}

/** What `npm pack --json` prints of each package. */
interface PackedByNpm {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}
