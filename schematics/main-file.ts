import type { ts } from '@ts-morph/common';
import { Obstacle, type SourceText } from './source-text.js';

/** The line that is added, as the README has it. */
export const shutdownHooks =
  'enableShutdownHooks(); // removes the instance when the process is stopped';

/** What `main.ts` says of its application. */
export interface Application {
  /** The root module: its name, and the path that it is imported from. */
  readonly module: { readonly name: string; readonly from: string };
  /** The text of `main.ts` with shutdown hooks; the same one where it enables them already. */
  readonly text: string;
}

/** @throws Obstacle when it does not create one application, in a variable, of a module that it imports */
export function readMain(main: SourceText): Application {
  const { call, declaration } = creationIn(main);
  const [argument] = call.arguments;
  const module = argument === undefined ? undefined : main.originOf(main.textOf(argument));
  if (module === undefined)
    throw new Obstacle(`${main.path} does not import the module that NestFactory is given`);
  return { module, text: withShutdownHooks(main, declaration) };
}

interface Creation {
  readonly call: ts.CallExpression;
  readonly declaration: ts.VariableDeclaration;
}

function creationIn(main: SourceText): Creation {
  const { parser, path } = main;
  const factory = main.localNameOf('NestFactory', '@nestjs/core');
  if (factory === undefined)
    throw new Obstacle(`${path} does not import NestFactory of @nestjs/core`);
  const calls = main
    .nodes()
    .filter(parser.isCallExpression)
    .filter(({ expression }) => main.textOf(expression).startsWith(`${factory}.create`));
  const [call] = calls;
  if (call === undefined || calls.length > 1)
    throw new Obstacle(`${path} calls ${factory}.create() ${calls.length} times rather than once`);
  const awaited = call.parent;
  const declaration = awaited.parent;
  const isKept =
    parser.isAwaitExpression(awaited) &&
    parser.isVariableDeclaration(declaration) &&
    parser.isIdentifier(declaration.name);
  if (!isKept)
    throw new Obstacle(
      `${path} does not keep the application in a variable, as in: const app = await ${factory}.create(…)`,
    );
  return { call, declaration };
}

function withShutdownHooks(main: SourceText, declaration: ts.VariableDeclaration): string {
  const { parser, newline, text } = main;
  const isEnabled = main
    .nodes()
    .some(node => parser.isIdentifier(node) && node.text === 'enableShutdownHooks');
  if (isEnabled) return text;
  const statement = declaration.parent.parent;
  const line = `${main.indentOf(statement)}${main.textOf(declaration.name)}.${shutdownHooks}`;
  const at = main.endOfLine(statement.getEnd());
  const isLast = /^(\r?\n|$)/.test(text.slice(at));
  return main.edited([{ start: at, end: at, text: newline + line + (isLast ? '' : newline) }]);
}
