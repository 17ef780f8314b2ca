import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type CodeBlock, codeBlocksOf, publishedDocuments } from '../support/docs.js';

const run = promisify(execFile);

/** In this repository, so that the peers are found. */
const folder = resolve('build', 'code-blocks');

/** The application that tests in `test/` import. */
const application = { 'src/app.module.ts': 'export class AppModule {}\n' };

/** What `nest new` creates, the globals of Jest and Vitest, and one package that is not installed here. */
const surroundings = {
  'app.controller.ts': 'export class AppController {}\n',
  'app.service.ts': 'export class AppService {}\n',
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
  paths: { 'nestjs-servicecomb': [resolve('build/tree/lib/index.d.ts')] },
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

const programs = [
  ...publishedDocuments,
  'embedded/README.md',
  'embedded/docs/reference.md',
].flatMap(programsIn);

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
