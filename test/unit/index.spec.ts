import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

// Reads the declarations that are published. The compiler writes them in one form, each at the start of a
// line, so that they need no parser.

interface Declaration {
  readonly text: string;
  /** Whether it has type parameters and is not exported: nobody can want to name such a helper. */
  readonly isHelper: boolean;
}

interface Module {
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** Where an imported name comes from, as `file#name`. */
  readonly imports: ReadonlyMap<string, string>;
}

const modules = new Map<string, Module>();

function moduleAt(file: string): Module {
  const known = modules.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
  const found = { declarations: declarationsIn(text), imports: importsIn(text, file) };
  modules.set(file, found);
  return found;
}

function declarationsIn(text: string): ReadonlyMap<string, Declaration> {
  const start = /^(?=(?:export |declare )*(?:abstract )?(?:class|interface|type|const|function) )/m;
  return new Map(
    text.split(start).flatMap((text): [string, Declaration][] => {
      const [, head = '', name, parameters] = /^([a-z ]+) (\w+)(<)?/.exec(text) ?? [];
      const isHelper = parameters !== undefined && !head.startsWith('export');
      return name === undefined ? [] : [[name, { text, isHelper }]];
    }),
  );
}

function importsIn(text: string, file: string): ReadonlyMap<string, string> {
  const clauses = text.matchAll(/^(?:import|export) (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm);
  return new Map(
    [...clauses].flatMap(([, names = '', path = '']) =>
      names.split(',').map((item): [string, string] => {
        const [name = '', alias = name] = item
          .trim()
          .replace(/^type /, '')
          .split(' as ');
        return [alias, `${join(dirname(file), path.replace(/\.js$/, '.d.ts'))}#${name}`];
      }),
    ),
  );
}

/** Lists the types of ours in the signature of an exported declaration, as `file#name`. */
function typesIn(id: string): readonly string[] {
  const [file = '', exported = ''] = id.split('#');
  const { declarations, imports } = moduleAt(file);
  const { text = '' } = declarations.get(exported) ?? {};
  const names = new Set(
    text.replace(/"[^"]*"|'[^']*'/g, '').match(/(?<![\w.#])[A-Z]\w*\b(?!\??:)/g),
  );
  return [...names].flatMap(name => {
    const declared = declarations.get(name);
    if (declared?.isHelper === true) return name === exported ? [] : typesIn(`${file}#${name}`);
    return declared === undefined ? (imports.get(name) ?? []) : `${file}#${name}`;
  });
}

const index = 'build/tree/lib/index.d.ts';

describe('the public names', () => {
  const exported = new Set(moduleAt(index).imports.values());

  it('are found in the declarations', () => {
    expect(exported.size).toBeGreaterThan(60);
    expect(typesIn('build/tree/lib/nest/registry.module.d.ts#RegistryModule')).toEqual([
      'build/tree/lib/nest/registry.module.d.ts#RegistryModule',
      'build/tree/lib/options/options.d.ts#RegistryModuleOptions',
      'build/tree/lib/nest/registry.module-definition.d.ts#RegistryModuleExtras',
      'build/tree/lib/nest/registry.module-definition.d.ts#RegistryModuleAsyncOptions',
    ]);
  });

  it('include every type that stands in the signature of another', () => {
    const missing = [...exported].flatMap(id => typesIn(id).filter(type => !exported.has(type)));
    expect(new Set(missing)).toEqual(new Set());
  });
});
