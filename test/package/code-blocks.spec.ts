import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { type CodeBlock, codeBlocksOf, publishedDocuments } from '../support/docs.js';

const run = promisify(execFile);

/** In this repository, so that the peers are found. */
const folder = resolve('build', 'code-blocks');

/** The application that tests in `test/` import. */
const application = { 'src/app.module.ts': 'export class AppModule {}\n' };

/** What `nest new` creates and a reader has changed, a guard of a recipe, the globals of Jest and Vitest, and one package that is not installed here. */
const surroundings = {
  'app.controller.ts': 'export class AppController {}\n',
  'app.module.ts': 'export class AppModule {}\n',
  'app.service.ts': 'export class AppService {}\n',
  'operator.guard.ts': 'export class OperatorGuard { canActivate(): boolean { return true; } }\n',
  'globals.d.ts': `import type * as jest from '@jest/globals';
  declare global {
    const afterEach: typeof jest.afterEach;
    const beforeEach: typeof jest.beforeEach;
    const expect: typeof jest.expect;
    const it: typeof jest.it;
  }\n`,
  'nestjs-config.d.ts': `declare module '@nestjs/config' {
    import type { DynamicModule } from '@nestjs/common';
    export class ConfigModule { static forRoot(): DynamicModule }
    export class ConfigService { get<T>(key: string): T | undefined; getOrThrow<T>(key: string): T }
  }\n`,
};

const { exports: entries }: { readonly exports: Readonly<Record<string, unknown>> } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);

/** Where the declarations of each entry of the library are before it is bundled, by the name in an import. */
const declarations = Object.fromEntries(
  Object.entries(entries).flatMap(([entry, forms]) => {
    const [, path] = /"\.\/dist\/esm\/(.+?\.d\.ts)"/.exec(JSON.stringify(forms)) ?? [];
    const name = entry.replace('.', 'nestjs-servicecomb');
    return path === undefined ? [] : [[name, [resolve('build/tree/lib', path)]]];
  }),
);

/** As in the tsconfig.json that `nest new` creates, apart from where the library is. */
const compilerOptions = {
  module: 'nodenext',
  moduleResolution: 'nodenext',
  target: 'es2023',
  strict: true,
  noEmit: true,
  esModuleInterop: true,
  isolatedModules: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  skipLibCheck: true,
  types: ['node'],
  paths: declarations,
};

/** A program of a document: the blocks that begin with a file name, or one block without. */
interface Program {
  readonly document: string;
  readonly heading: string;
  readonly type: 'commonjs' | 'module';
  readonly files: Readonly<Record<string, string>>;
}

function programsIn(document: string): readonly Program[] {
  const blocks = codeBlocksOf(document).filter(({ language }) => language === 'ts');
  const headings = [...new Set(blocks.map(({ heading }) => heading))];
  return headings.map(heading => ({
    document,
    heading,
    type: heading.includes('CommonJS') ? 'commonjs' : 'module',
    files: filesOf(blocks.filter(block => block.heading === heading)),
  }));
}

function filesOf(blocks: readonly CodeBlock[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    blocks.map(({ code }, index) => [
      /^\/\/ (?:src|test)\/(\S+\.ts)\n/.exec(code)?.[1] ?? `block-${index}.ts`,
      code,
    ]),
  );
}

const documents = [...publishedDocuments, 'embedded/README.md', 'embedded/docs/reference.md'];
const programs = documents.flatMap(programsIn);

/** Blocks in one of these languages, each with a name for its test. */
function blocksIn(...languages: readonly string[]) {
  return documents.flatMap(document =>
    codeBlocksOf(document)
      .filter(({ language }) => languages.includes(language))
      .map(({ code, heading }, index) => ({ name: `${document}, ${heading} (${index})`, code })),
  );
}

/** What the compiler says, for all programs at once. */
let complaints: string;

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  for (const [index, { type, files }] of programs.entries())
    await write(join(folder, String(index)), {
      ...surroundings,
      ...files,
      'package.json': JSON.stringify({ type }),
    });
  await write(folder, { ...application, 'tsconfig.json': JSON.stringify({ compilerOptions }) });
  complaints = await compile();
}, 60_000);

async function write(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(directory, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

async function compile(): Promise<string> {
  try {
    await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', folder], {
      cwd: folder,
    });
    return '';
  } catch (error) {
    return String(Reflect.get(Object(error), 'stdout'));
  }
}

describe('the code in the documents', () => {
  it('is there', () => {
    expect(programs.length).toBeGreaterThan(10);
    expect(programs.map(({ type }) => type)).toContain('commonjs');
  });

  it.each(programs.map(({ document, heading }, index) => ({ document, heading, index })))(
    'compiles: $document, $heading',
    ({ index }) => {
      const own = complaints.split('\n').filter(line => line.startsWith(`${index}/`));
      expect(own).toEqual([]);
    },
  );

  it('compiles as a whole', () => {
    expect(complaints).toBe('');
  });
});

describe('the other blocks in the documents', () => {
  it.each(blocksIn('json'))('are JSON: $name', ({ code }) => {
    expect(() => JSON.parse(code)).not.toThrow();
  });

  it.each(blocksIn('yaml'))('are YAML: $name', ({ code }) => {
    expect(parseAllDocuments(code).flatMap(({ errors }) => errors)).toEqual([]);
  });

  it('are commands that a shell can read', async () => {
    for (const { name, code } of blocksIn('sh')) {
      const { stderr } = await run('bash', ['-n', '-c', code]);
      expect([name, stderr]).toEqual([name, '']);
    }
  });

  it('say their language', () => {
    const known = new Set(['ts', 'js', 'json', 'yaml', 'sh', 'mermaid', 'dockerfile', 'text']);
    const languages = documents.flatMap(codeBlocksOf).map(({ language }) => language);
    expect(languages.filter(language => !known.has(language))).toEqual([]);
  });
});
