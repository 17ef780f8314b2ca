import { createRequire } from 'node:module';
import { join } from 'node:path';
import { instructions } from './instructions.js';
import { type NestAddOptions, type Plan, planOf, type ProjectFiles } from './plan.js';
import { Obstacle, type Parser } from './source-text.js';

/** The part of a schematic's file tree that is used, so that no package of its engine has to be found from here. */
interface Tree {
  read(path: string): Uint8Array | null;
  overwrite(path: string, content: string): void;
  getDir(path: string): { visit(visitor: (path: string) => void): void };
}

interface SchematicContext {
  readonly logger: { info(message: string): void; warn(message: string): void };
  addTask(task: { toConfiguration(): { readonly name: string; readonly options: object } }): void;
}

type Rule = (tree: Tree, context: SchematicContext) => void;

/**
 * The schematic `nest-add`: adds the peers to package.json and has them installed, imports the modules in the root
 * module, and enables shutdown hooks in `main.ts`. What is there already stays as it is.
 */
export function nestAdd(options: NestAddOptions): Rule {
  return (tree, context) => {
    const { changes, notes } = planFor(options, filesOf(tree));
    for (const [path, text] of changes) tree.overwrite(path, text);
    for (const note of notes) context.logger.warn(note);
    const skipsInstall = options.skipInstall ?? options.s ?? false;
    if (changes.has('package.json') && !skipsInstall) context.addTask({ toConfiguration: install });
    context.logger.info(changes.size === 0 ? 'Nothing is missing.' : nextSteps);
  };
}

const nextSteps =
  'Start a Service Center for development with: npx embedded-service-center. ' +
  'All options: https://github.com/nestjs-servicecomb/nestjs-servicecomb#readme';

/** The task of the engine that runs the package manager whose lock file is there. */
function install() {
  return { name: 'node-package', options: { command: 'install', quiet: true, hideOutput: true } };
}

/** @throws Error with what to do by hand, where a file cannot be changed safely */
function planFor(options: NestAddOptions, files: ProjectFiles): Plan {
  try {
    return planOf(options, files, findParser());
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    throw new Error(instructions(error.message, files), { cause: error });
  }
}

function filesOf(tree: Tree): ProjectFiles {
  return {
    read: path => {
      const content = tree.read(path);
      return content === null ? undefined : new TextDecoder().decode(content);
    },
    below: folder => {
      const found: string[] = [];
      tree.getDir(folder).visit(path => found.push(path.replace(/^\//, '')));
      return found;
    },
  };
}

/**
 * Returns the parser of the application, or that of the Nest CLI, which runs this: TypeScript 7 has none.
 *
 * @throws Obstacle when there is neither
 */
function findParser(): Parser {
  for (const from of [join(process.cwd(), 'package.json'), process.argv[1] ?? process.cwd()]) {
    const found = requireFrom(from);
    if (isParser(found)) return found;
  }
  throw new Obstacle('No TypeScript that can parse is installed here, and version 7 cannot');
}

function requireFrom(from: string): unknown {
  try {
    return createRequire(from)('typescript');
  } catch {
    return undefined;
  }
}

function isParser(module: unknown): module is Parser {
  return typeof module === 'object' && module !== null && 'createSourceFile' in module;
}
