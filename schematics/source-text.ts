import type { ts } from '@ts-morph/common';

/** The compiler's API, as the package `typescript` exports it up to version 6. */
export type Parser = typeof ts;

/** A file that cannot be changed safely. */
export class Obstacle extends Error {
  /** @param message what is in the way, as a sentence that begins with the path of the file */
  constructor(message: string) {
    super(message);
    this.name = 'Obstacle';
  }
}

/** A change of a text: what stands at `[start, end)` becomes `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A file of TypeScript, and how it is written. */
export class SourceText {
  readonly file: ts.SourceFile;
  readonly newline: string;
  /** The quote and the end of its imports. */
  readonly quote: '"' | "'";
  readonly semicolon: '' | ';';

  /** @throws Obstacle when it has a syntax error */
  constructor(
    readonly parser: Parser,
    readonly path: string,
    readonly text: string,
  ) {
    const options = { experimentalDecorators: true, target: parser.ScriptTarget.ESNext };
    const { diagnostics = [] } = parser.transpileModule(text, {
      reportDiagnostics: true,
      fileName: path,
      compilerOptions: options,
    });
    const [error] = diagnostics;
    if (error !== undefined)
      throw new Obstacle(
        `${path} has a syntax error: ${parser.flattenDiagnosticMessageText(error.messageText, ' ')}`,
      );
    this.file = parser.createSourceFile(path, text, parser.ScriptTarget.ESNext, true);
    this.newline = text.includes('\r\n') ? '\r\n' : '\n';
    const [first] = this.imports;
    this.quote = first !== undefined && this.textOf(first.moduleSpecifier)[0] === '"' ? '"' : "'";
    this.semicolon = first === undefined || this.textOf(first).endsWith(';') ? ';' : '';
  }

  get imports(): readonly ts.ImportDeclaration[] {
    return this.file.statements.filter(this.parser.isImportDeclaration);
  }

  /** Returns every node of the file, a parent before its children. */
  nodes(): readonly ts.Node[] {
    const found: ts.Node[] = [];
    const visit = (node: ts.Node): void => {
      found.push(node);
      this.parser.forEachChild(node, visit);
    };
    visit(this.file);
    return found;
  }

  /** Returns the text of a node without the comments before it. */
  textOf(node: ts.Node): string {
    return node.getText(this.file);
  }

  /** Returns the blanks at the beginning of the line that a node begins in. */
  indentOf(node: ts.Node): string {
    const start = node.getStart(this.file);
    const line = this.text.slice(this.text.lastIndexOf('\n', start - 1) + 1, start);
    return /^[ \t]*/.exec(line)?.[0] ?? '';
  }

  /** Returns the end of the line when nothing but a comment follows in it, else the position itself. */
  endOfLine(position: number): number {
    const rest = /^[ \t]*(\/\/[^\r\n]*)?(?=\r?\n|$)/.exec(this.text.slice(position));
    return position + (rest?.[0].length ?? 0);
  }

  quoted(text: string): string {
    const escaped = text.replaceAll('\\', '\\\\').replaceAll(this.quote, `\\${this.quote}`);
    return this.quote + escaped + this.quote;
  }

  /** Returns the name that an export of a package has in this file; undefined where it is not imported. */
  localNameOf(name: string, from: string): string | undefined {
    return this.#specifiers().find(
      each =>
        each.from === from && (each.specifier.propertyName ?? each.specifier.name).text === name,
    )?.specifier.name.text;
  }

  /** Returns where a name that is imported comes from, and what it is called there. */
  originOf(localName: string): { readonly name: string; readonly from: string } | undefined {
    const found = this.#specifiers().find(({ specifier }) => specifier.name.text === localName);
    if (found === undefined) return undefined;
    const { specifier, from } = found;
    return { name: (specifier.propertyName ?? specifier.name).text, from };
  }

  #specifiers(): readonly { readonly specifier: ts.ImportSpecifier; readonly from: string }[] {
    const { isNamedImports, isStringLiteral } = this.parser;
    return this.imports.flatMap(({ importClause, moduleSpecifier }) => {
      const named = importClause?.namedBindings;
      if (named === undefined || !isNamedImports(named) || !isStringLiteral(moduleSpecifier))
        return [];
      if (importClause?.isTypeOnly === true) return [];
      return named.elements
        .filter(({ isTypeOnly }) => !isTypeOnly)
        .map(specifier => ({ specifier, from: moduleSpecifier.text }));
    });
  }

  /** Returns the text with edits made, which do not overlap. */
  edited(edits: readonly Edit[]): string {
    let edited = this.text;
    for (const { start, end, text } of edits.toSorted((one, other) => other.start - one.start))
      edited = edited.slice(0, start) + text + edited.slice(end);
    return edited;
  }
}
