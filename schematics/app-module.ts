import type { ts } from '@ts-morph/common';
import { type Edit, Obstacle, type SourceText } from './source-text.js';

/** A module that the application needs, in the order of the README. */
export interface NeededModule {
  readonly name: string;
  readonly from: string;
  /** What it is for, as a comment in the code. */
  readonly purpose: string;
}

export const neededModules = [
  { name: 'ScheduleModule', from: '@nestjs/schedule', purpose: 'runs the heartbeat' },
  { name: 'EventEmitterModule', from: '@nestjs/event-emitter', purpose: 'delivers the events' },
  {
    name: 'RegistryModule',
    from: 'nestjs-servicecomb',
    purpose: 'import it last: it then leaves first',
  },
] as const satisfies readonly NeededModule[];

export interface RegistrySettings {
  readonly serviceName: string;
  readonly addresses: readonly string[];
}

/** The width that Prettier breaks lines at where the starter does not say otherwise. */
const lineWidth = 80;

/**
 * Returns the text of a root module that imports these modules, as far as it does not yet.
 *
 * @throws Obstacle when it is not a class with `@Module({ … })`, its imports are not written as a list, or one of
 * the names means something else in it
 */
export function withModules(
  source: SourceText,
  {
    className,
    needed,
    settings,
  }: {
    readonly className: string;
    readonly needed: readonly NeededModule[];
    readonly settings: RegistrySettings;
  },
): string {
  const metadata = metadataOf(source, className);
  const imports = importsIn(source, metadata);
  const missing = needed.filter(module => !isImported(source, imports, module));
  if (missing.length === 0) return source.text;
  const before = imports?.elements.find(element => isOf(source, element, 'RegistryModule'));
  const indent = indentIn(source, metadata, imports);
  const items = missing.map(module => ({
    code: codeOf(source, module, { settings, indent: indent.item }),
    comment: ` // ${module.purpose}`,
  }));
  return source.edited([
    ...importDeclarations(source, missing),
    ...(before === undefined
      ? appended(source, { metadata, imports, items, indent })
      : [insertedBefore(source, before, items)]),
  ]);
}

interface Item {
  readonly code: string;
  readonly comment: string;
}

/** The blanks before the property `imports`, and before the elements of its list. */
interface Indent {
  readonly property: string;
  readonly item: string;
}

function metadataOf(source: SourceText, className: string): ts.ObjectLiteralExpression {
  const { parser, path, file } = source;
  const found = file.statements
    .filter(parser.isClassDeclaration)
    .find(({ name }) => name?.text === className);
  if (found === undefined) throw new Obstacle(`${path} does not declare the class ${className}`);
  const decorator = source.localNameOf('Module', '@nestjs/common');
  const call = parser
    .getDecorators(found)
    ?.map(({ expression }) => expression)
    .filter(parser.isCallExpression)
    .find(({ expression }) => source.textOf(expression) === decorator);
  const [argument] = call?.arguments ?? [];
  if (argument === undefined || !parser.isObjectLiteralExpression(argument))
    throw new Obstacle(`${path} does not decorate ${className} with @Module({ … })`);
  return argument;
}

/** Returns the list of imports; undefined where there is none. */
function importsIn(
  { parser, path }: SourceText,
  metadata: ts.ObjectLiteralExpression,
): ts.ArrayLiteralExpression | undefined {
  const property = metadata.properties.find(
    ({ name }) =>
      name !== undefined &&
      (parser.isIdentifier(name) || parser.isStringLiteral(name)) &&
      name.text === 'imports',
  );
  const mayComeFromElsewhere = metadata.properties.some(parser.isSpreadAssignment);
  if (property === undefined && !mayComeFromElsewhere) return undefined;
  if (
    property === undefined ||
    !parser.isPropertyAssignment(property) ||
    !parser.isArrayLiteralExpression(property.initializer)
  )
    throw new Obstacle(`${path} does not write the imports of @Module() as a list`);
  return property.initializer;
}

function isImported(
  source: SourceText,
  imports: ts.ArrayLiteralExpression | undefined,
  { name, from }: NeededModule,
): boolean {
  const origin = source.originOf(name);
  const isForeign = origin !== undefined && (origin.from !== from || origin.name !== name);
  if (isForeign || isDeclared(source, name))
    throw new Obstacle(`${source.path} has another ${name} than that of ${from}`);
  return imports?.elements.some(element => isOf(source, element, name)) ?? false;
}

function isDeclared({ parser, file }: SourceText, name: string): boolean {
  return file.statements.some(
    statement => parser.isClassDeclaration(statement) && statement.name?.text === name,
  );
}

/** Whether an element of the list is a module of {@link neededModules}, or what one of its methods returns. */
function isOf(source: SourceText, element: ts.Expression, name: string): boolean {
  const from = neededModules.find(module => module.name === name)?.from ?? '';
  const local = source.localNameOf(name, from);
  const text = source.textOf(element);
  return local !== undefined && (text === local || text.startsWith(`${local}.`));
}

function indentIn(
  source: SourceText,
  metadata: ts.ObjectLiteralExpression,
  imports: ts.ArrayLiteralExpression | undefined,
): Indent {
  const outer = source.indentOf(metadata);
  const [property] = metadata.properties;
  const inner = property === undefined ? `${outer}  ` : source.indentOf(property);
  const unit = inner.length > outer.length ? inner.slice(outer.length) : '  ';
  const [element] = imports?.elements ?? [];
  const hasOwnLine = element !== undefined && source.indentOf(element).length > inner.length;
  return { property: inner, item: hasOwnLine ? source.indentOf(element) : inner + unit };
}

function codeOf(
  source: SourceText,
  { name, from }: NeededModule,
  { settings, indent }: { readonly settings: RegistrySettings; readonly indent: string },
): string {
  const local = source.localNameOf(name, from) ?? name;
  if (name !== 'RegistryModule') return `${local}.forRoot()`;
  const groups = groupsOf(source, settings);
  const oneLine = `${local}.forRoot({ ${groups.join(', ')} })`;
  if (indent.length + oneLine.length < lineWidth) return oneLine;
  const unit = indent.startsWith('\t') ? '\t' : '  ';
  const lines = groups.map(group => `${indent}${unit}${group},`);
  return [`${local}.forRoot({`, ...lines, `${indent}})`].join(source.newline);
}

function groupsOf(
  source: SourceText,
  { serviceName, addresses }: RegistrySettings,
): readonly string[] {
  const list = addresses.map(address => source.quoted(address)).join(', ');
  return [
    ...(addresses.length === 0 ? [] : [`serviceCenter: { addresses: [${list}] }`]),
    `microservice: { serviceName: ${source.quoted(serviceName)} }`,
  ];
}

function importDeclarations(source: SourceText, modules: readonly NeededModule[]): readonly Edit[] {
  const { newline, semicolon } = source;
  const lines = modules
    .filter(({ name, from }) => source.localNameOf(name, from) === undefined)
    .map(({ name, from }) => `import { ${name} } from ${source.quoted(from)}${semicolon}`);
  if (lines.length === 0) return [];
  const last = source.imports.at(-1);
  // A root module imports at least @Module().
  const at = last === undefined ? 0 : source.endOfLine(last.getEnd());
  return [{ start: at, end: at, text: lines.map(line => newline + line).join('') }];
}

function insertedBefore(source: SourceText, element: ts.Expression, items: readonly Item[]): Edit {
  const at = element.getStart(source.file);
  const startsLine =
    source.indentOf(element) === source.text.slice(source.text.lastIndexOf('\n', at) + 1, at);
  const separator = startsLine ? source.newline + source.indentOf(element) : ' ';
  const text = items.map(({ code, comment }) =>
    startsLine ? `${code},${comment}${separator}` : `${code},${separator}`,
  );
  return { start: at, end: at, text: text.join('') };
}

function appended(
  source: SourceText,
  {
    metadata,
    imports,
    items,
    indent,
  }: {
    readonly metadata: ts.ObjectLiteralExpression;
    readonly imports: ts.ArrayLiteralExpression | undefined;
    readonly items: readonly Item[];
    readonly indent: Indent;
  },
): readonly Edit[] {
  const { newline, file, text } = source;
  const added = items
    .map(({ code, comment }) => `${newline}${indent.item}${code},${comment}`)
    .join('');
  const end = `${newline}${indent.property}`;
  if (imports === undefined) {
    const at = metadata.getStart(file) + 1;
    const property = `${newline}${indent.property}imports: [${added}${end}],`;
    const isEmpty = metadata.properties.length === 0;
    return [{ start: at, end: at, text: isEmpty ? property + newline : property }];
  }
  const start = imports.getStart(file) + 1;
  const bracket = imports.getEnd() - 1;
  const isOneLine = !/\n|\/\*/.test(text.slice(start, bracket));
  if (isOneLine)
    return [{ start, end: bracket, text: spread(source, imports, indent) + added + end }];
  const last = imports.elements.at(-1)?.getEnd() ?? start;
  const isComplete = imports.elements.length === 0 || imports.elements.hasTrailingComma;
  const rest = text.slice(last, bracket).trimEnd();
  return [{ start: last, end: bracket, text: (isComplete ? '' : ',') + rest + added + end }];
}

/** Returns the elements of a list that stands in one line, each in a line of its own. */
function spread(source: SourceText, imports: ts.ArrayLiteralExpression, { item }: Indent): string {
  return imports.elements
    .map(element => `${source.newline}${item}${source.textOf(element)},`)
    .join('');
}
