import { ts } from '@ts-morph/common';
import { type NestAddOptions, type Plan, planOf } from '../../../schematics/plan.js';

/** The files of the starter of Nest 12 that `nest add` reads. */
export const starter = {
  'package.json': `${JSON.stringify(
    {
      name: '@acme/orders',
      dependencies: { '@nestjs/common': '^12.0.1', '@nestjs/core': '^12.0.1', rxjs: '^7.8.1' },
    },
    undefined,
    2,
  )}\n`,
  'nest-cli.json': '{ "sourceRoot": "src" } // JSON with comments',
  'src/app.module.ts': `import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';

@Module({
  imports: [],
  controllers: [AppController],
})
export class AppModule {}
`,
  'src/main.ts': `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}
await bootstrap();
`,
} as const;

/** Files by their path; undefined: the starter's file is not there. */
export type Files = Readonly<Record<string, string | undefined>>;

/** Returns what `nest add` does to the starter with these files in it. */
export function plan(files: Files = {}, options: NestAddOptions = { sourceRoot: 'src' }): Plan {
  const all: Files = { ...starter, ...files };
  return planOf(
    options,
    {
      read: path => all[path],
      below: folder => Object.keys(all).filter(path => path.startsWith(`${folder}/`)),
    },
    ts,
  );
}

/** Returns the files of the starter after `nest add`. */
export function after(files: Files = {}, options?: NestAddOptions): Files {
  return { ...starter, ...files, ...Object.fromEntries(plan(files, options).changes) };
}

/** Returns AppModule after `nest add`, without the imports of the file. */
export function moduleAfter(decorator: string, options?: NestAddOptions): string | undefined {
  const head = "import { Module } from '@nestjs/common';\n";
  const text = after({ 'src/app.module.ts': head + decorator }, options)['src/app.module.ts'];
  return text?.slice(text.indexOf('@Module'));
}
