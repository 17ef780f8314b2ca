import { readKey } from './instance-bodies.js';
import type { KeyBody } from './instance-bodies.js';
import { StructReader } from './struct-reader.js';

/** What a consumer depends on, as a body tells it (cari discovery/types.go). */
export interface DependencyBody {
  readonly consumer: KeyBody | undefined;
  readonly providers: readonly (KeyBody | null)[] | undefined;
}

/** Body of POST and PUT dependencies. */
export interface DependenciesBody {
  readonly dependencies: readonly (DependencyBody | null)[] | undefined;
}

/** Body of POST dependencies. */
export function readAddDependencies(document: unknown): DependenciesBody {
  return StructReader.read(document, 'AddDependenciesRequest', readDependencies);
}

/** Body of PUT dependencies. */
export function readPutDependencies(document: unknown): DependenciesBody {
  return StructReader.read(document, 'CreateDependenciesRequest', readDependencies);
}

function readDependencies(body: StructReader): DependenciesBody {
  return { dependencies: body.structs('dependencies', 'ConsumerDependency', readDependency) };
}

function readDependency(body: StructReader): DependencyBody {
  const consumer = body.struct('consumer', 'MicroServiceKey', readKey);
  const providers = body.structs('providers', 'MicroServiceKey', readKey);
  // Read for its type alone: the method of the request decides.
  body.flag('override');
  return { consumer, providers };
}
