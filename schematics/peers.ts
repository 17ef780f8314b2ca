type Ranges = Readonly<Record<string, string>>;

/** The part of a package.json that is read. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Ranges;
  readonly devDependencies?: Ranges;
}

/** The package manager has read it before: its types are as they should be. */
export function readManifest(text: string): Manifest {
  const manifest: Manifest = JSON.parse(text);
  return manifest;
}

/** The versions of the peers that belong to each major version of Nest. */
const peersByNest: Readonly<Record<number, Ranges>> = {
  11: {
    '@nestjs/axios': '^4.0.0',
    '@nestjs/event-emitter': '^3.0.0',
    '@nestjs/schedule': '^6.0.0',
    axios: '^1.5.0',
  },
  12: {
    '@nestjs/axios': '^12.0.0',
    '@nestjs/event-emitter': '^12.0.0',
    '@nestjs/schedule': '^12.0.0',
    axios: '^1.5.0',
  },
};

/**
 * @param nest version of @nestjs/common, or a range of versions
 * @throws Error when the library is not for that version
 */
export function peersOf(nest: string | undefined): Ranges {
  const peers = peersByNest[Number(majorOf(nest ?? ''))];
  if (peers !== undefined) return peers;
  const found = nest === undefined ? 'no @nestjs/common' : `@nestjs/common ${nest}`;
  throw new Error(`package.json has ${found}, and nestjs-servicecomb is for Nest 11 and 12`);
}

/** What package.json becomes. */
export interface WithPeers {
  readonly text: string;
  /** A sentence for each peer that it names in a version for another Nest, or for development alone. */
  readonly notes: readonly string[];
}

/** Adds the peers to the dependencies of a package.json. What it names already stays as it is. */
export function withPeers(text: string, peers: Ranges): WithPeers {
  const manifest = readManifest(text);
  const named = { ...manifest.devDependencies, ...manifest.dependencies };
  const foreign = Object.entries(peers).flatMap(([name, range]) => {
    const other = named[name];
    if (other === undefined || majorOf(other) === majorOf(range)) return [];
    return [`package.json has ${name} ${other}, and ${range} belongs to this version of Nest`];
  });
  const forDevelopment = Object.keys(peers)
    .filter(name => named[name] !== undefined && manifest.dependencies?.[name] === undefined)
    .map(name => `package.json has ${name} among its devDependencies: move it to dependencies`);
  const notes = [...foreign, ...forDevelopment];
  const missing = Object.entries(peers).filter(([name]) => named[name] === undefined);
  if (missing.length === 0) return { text, notes };
  const all = Object.entries({ ...manifest.dependencies, ...Object.fromEntries(missing) });
  const dependencies = Object.fromEntries(all.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  return { text: writtenAs(text, { ...manifest, dependencies }), notes };
}

function majorOf(range: string): string | undefined {
  return /\d+/.exec(range)?.[0];
}

/** Writes JSON with the indent and the newlines of another text. */
function writtenAs(text: string, value: object): string {
  const [, indent = '  '] = /^\{\r?\n([ \t]+)/.exec(text) ?? [];
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const end = text.slice(text.trimEnd().length);
  return JSON.stringify(value, undefined, indent).replaceAll('\n', newline) + end;
}
