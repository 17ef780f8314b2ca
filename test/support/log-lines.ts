import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAst } from 'rollup/parseAst';

/** A line that the library can log, or a sentence of an error; `…` stands for each value in it. */
export interface Line {
  /** The level, or the class of the error. */
  readonly kind: string;
  readonly text: string;
  readonly file: string;
}

/** A node of the syntax tree (ESTree). */
interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Stands for a value that is only known at run time. */
const hole = '…';

/** How far an expression is followed: `calls` into functions and their callers, `constants` no further. */
type Depth = 'calls' | 'constants';

/** Returns the text of each JavaScript file below a folder, by its path in it. */
export function modulesIn(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    names
      .filter(name => name.endsWith('.js'))
      .map(name => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

/**
 * Reads from the compiled library which lines it can log at `warn` and `error`, and which sentences its
 * errors have: the texts in the calls of a logger and in the log lines of events. A text may stand in a
 * constant, in a function, at the caller of a function, or in a list that an object holds under some name; a
 * text that cannot be found there is `…` alone.
 */
export class LibraryTexts {
  readonly #programs = new Map<string, Node>();
  readonly #parents = new Map<Node, Node>();
  readonly #fileOf = new Map<Node, string>();
  readonly #nodes: Node[] = [];

  /** @param modules the text of each file, by its path */
  constructor(modules: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(modules)) this.#parse(name, text);
  }

  /** The lines at `warn` and `error`, each once. */
  loggedLines(): readonly Line[] {
    const found = this.#nodes.flatMap(node => {
      const { level, message } = loggerCall(node) ?? leveledCall(node) ?? eventLine(node) ?? {};
      if (level === undefined || message === undefined) return [];
      return this.#linesOf(node, level, message);
    });
    return unique(found);
  }

  /** The sentences of the error classes, each once. */
  errorSentences(): readonly Line[] {
    const found = this.#nodes.flatMap(node => {
      const kind =
        nameOf(node['superClass']) === 'ServiceCombError' ? nameOf(node['id']) : undefined;
      const call = kind === undefined ? undefined : this.#within(node).find(isSuperCall);
      const [message] = call === undefined ? [] : listIn(call, 'arguments');
      return kind === undefined || message === undefined ? [] : this.#linesOf(node, kind, message);
    });
    return unique(found);
  }

  #parse(name: string, text: string): void {
    const program = nodeOf(parseAst(text));
    if (program === undefined) return;
    this.#programs.set(name, program);
    for (const node of [program, ...this.#within(program)]) {
      this.#nodes.push(node);
      this.#fileOf.set(node, name);
      for (const child of childrenOf(node)) this.#parents.set(child, node);
    }
  }

  #linesOf(at: Node, kind: string, message: Node): readonly Line[] {
    const file = `lib/${this.#fileOf.get(at)?.replace(/js$/, 'ts')}`;
    return this.#texts(message, 'calls').map(text => ({ kind, text: tidy(text), file }));
  }

  #within(node: Node): readonly Node[] {
    return childrenOf(node).flatMap(child => [child].concat(this.#within(child)));
  }

  /** Every text that an expression can have. */
  #texts(node: Node, depth: Depth): readonly string[] {
    switch (node.type) {
      case 'Literal':
        return [String(node['value'])];
      case 'TemplateLiteral':
        return this.#template(node);
      case 'BinaryExpression':
        return joined(this.#field(node, 'left', depth), this.#field(node, 'right', depth));
      case 'ConditionalExpression':
        return [
          ...this.#field(node, 'consequent', depth),
          ...this.#field(node, 'alternate', depth),
        ];
      case 'LogicalExpression':
        return [...this.#field(node, 'left', depth), ...this.#field(node, 'right', depth)];
      case 'Identifier':
        return this.#ofName(node, depth);
      case 'CallExpression':
        if (depth !== 'calls') return [hole];
        return this.#returned(node)?.flatMap(value => this.#texts(value, depth)) ?? [hole];
      default:
        return [hole];
    }
  }

  #field(node: Node, field: string, depth: Depth): readonly string[] {
    const value = nodeOf(node[field]);
    return value === undefined ? [] : this.#texts(value, depth);
  }

  /** The values in a template are followed to constants alone: that of a call is a value. */
  #template(node: Node): readonly string[] {
    const quasis = listIn(node, 'quasis').map(quasi =>
      String(Reflect.get(Object(quasi['value']), 'cooked')),
    );
    const values = listIn(node, 'expressions').map(value => this.#texts(value, 'constants'));
    return quasis.reduce<readonly string[]>(
      (texts, quasi, index) =>
        joined(joined(texts, index === 0 ? [''] : (values[index - 1] ?? [hole])), [quasi]),
      [''],
    );
  }

  #ofName(node: Node, depth: Depth): readonly string[] {
    const name = nameOf(node) ?? '';
    if (name === 'undefined') return [];
    const found = this.#declared(name, node);
    switch (found?.kind) {
      case 'value':
        return this.#texts(found.value, depth);
      case 'element':
        return depth === 'calls' ? this.#elements(found.list) : [hole];
      case 'property':
        return depth === 'calls' ? this.#properties(found.object, name) : [hole];
      case 'parameter':
        return depth === 'calls' ? this.#passed(found.to, found.index) : [hole];
      case undefined:
        return [hole];
    }
  }

  /** Every text in a list. */
  #elements(list: Node): readonly string[] {
    switch (list.type) {
      case 'ArrayExpression':
        return listIn(list, 'elements').flatMap(element => {
          const spread = element.type === 'SpreadElement' ? nodeOf(element['argument']) : undefined;
          return spread === undefined ? this.#texts(element, 'calls') : this.#elements(spread);
        });
      case 'ConditionalExpression':
        return [list['consequent'], list['alternate']].flatMap(part => {
          const node = nodeOf(part);
          return node === undefined ? [] : this.#elements(node);
        });
      case 'LogicalExpression':
        return [list['left'], list['right']].flatMap(part => {
          const node = nodeOf(part);
          return node === undefined ? [] : this.#elements(node);
        });
      case 'Identifier': {
        const name = nameOf(list) ?? '';
        if (name === 'undefined') return [];
        const found = this.#declared(name, list);
        return found?.kind === 'value' ? this.#elements(found.value) : this.#held(name);
      }
      case 'MemberExpression':
        return this.#held(nameOf(list['property']) ?? '');
      case 'CallExpression':
        return this.#ofListCall(list);
      case 'NewExpression':
        return listIn(list, 'arguments').flatMap(value => this.#elements(value));
      default:
        return this.#texts(list, 'calls');
    }
  }

  /** The texts that objects of the library hold under a name: as a list, or one by one. */
  #held(name: string): readonly string[] {
    const values = this.#nodes.flatMap(node =>
      node.type === 'ObjectExpression'
        ? listIn(node, 'properties').filter(property => nameOf(property['key']) === name)
        : [],
    );
    const texts = values.flatMap(property => {
      const value = nodeOf(property['value']);
      return value === undefined ? [] : this.#elements(value);
    });
    return values.length === 0 ? [hole] : texts;
  }

  #ofListCall(call: Node): readonly string[] {
    const callee = nodeOf(call['callee']);
    const object = nodeOf(callee?.['object']);
    const method = nameOf(callee?.['property']);
    if (object !== undefined && (method === 'filter' || method === 'toSorted'))
      return this.#elements(object);
    const [mapped] = listIn(call, 'arguments');
    if (mapped !== undefined && (method === 'map' || method === 'flatMap'))
      return this.#returnsOf(mapped).flatMap(value =>
        method === 'map' ? this.#texts(value, 'calls') : this.#elements(value),
      );
    return this.#returned(call)?.flatMap(value => this.#elements(value)) ?? [hole];
  }

  /** The texts of a property of the object that a call returns. */
  #properties(object: Node, name: string): readonly string[] {
    const returned = object.type === 'CallExpression' ? this.#returned(object) : [object];
    const values = (returned ?? []).flatMap(value =>
      listIn(value, 'properties').filter(property => nameOf(property['key']) === name),
    );
    return values.length === 0
      ? [hole]
      : values.flatMap(property => this.#field(property, 'value', 'calls'));
  }

  /** The texts that the callers of a function pass as an argument. */
  #passed(to: Node, index: number): readonly string[] {
    const name = this.#functionName(to);
    const calls = this.#nodes.filter(
      node => node.type === 'CallExpression' && name !== undefined && calledName(node) === name,
    );
    const passed = calls.flatMap(call => listIn(call, 'arguments')[index] ?? []);
    return passed.length === 0 ? [hole] : passed.flatMap(value => this.#texts(value, 'calls'));
  }

  #functionName(node: Node): string | undefined {
    const parent = this.#parents.get(node);
    return nameOf(node['id']) ?? nameOf(parent?.['id']) ?? nameOf(parent?.['key']);
  }

  /** What the function that is called can return; undefined when it is not one of the library. */
  #returned(call: Node): readonly Node[] | undefined {
    const name = calledName(call) ?? '';
    const callee = nodeOf(call['callee']);
    const found = callee?.type === 'Identifier' ? this.#declared(name, call) : undefined;
    const method = this.#nodes.find(
      node =>
        node.type === 'MethodDefinition' &&
        nameOf(node['key']) === name &&
        this.#fileOf.get(node) === this.#fileOf.get(call),
    );
    const called = found?.kind === 'value' ? found.value : nodeOf(method?.['value']);
    const returns = called === undefined ? [] : this.#returnsOf(called);
    return returns.length === 0 ? undefined : returns;
  }

  #returnsOf(called: Node): readonly Node[] {
    const body = nodeOf(called['body']);
    if (body === undefined) return [];
    if (body.type !== 'BlockStatement') return [body];
    return this.#within(body).flatMap(node => {
      const isOwn = node.type === 'ReturnStatement' && this.#enclosing(node) === called;
      return isOwn ? (nodeOf(node['argument']) ?? []) : [];
    });
  }

  #enclosing(node: Node): Node | undefined {
    const parent = this.#parents.get(node);
    if (parent === undefined || /Function/.test(parent.type)) return parent;
    return this.#enclosing(parent);
  }

  /** Finds the declaration of a name, in the scopes around a node and behind an import. */
  #declared(name: string, from: Node): Declaration | undefined {
    const scope = this.#parents.get(from);
    if (scope === undefined) return undefined;
    const [found] = [...childrenOf(scope), scope].flatMap(node => this.#declarationIn(node, name));
    return found ?? this.#declared(name, scope);
  }

  #declarationIn(node: Node, name: string): readonly Declaration[] {
    switch (node.type) {
      case 'ImportDeclaration':
        return this.#imported(node, name);
      case 'ExportNamedDeclaration':
        return childrenOf(node).flatMap(child => this.#declarationIn(child, name));
      case 'FunctionDeclaration':
        if (nameOf(node['id']) === name) return [{ kind: 'value', value: node }];
        return parameterOf(node, name);
      case 'ArrowFunctionExpression':
      case 'FunctionExpression':
        return parameterOf(node, name);
      case 'ForOfStatement': {
        const [declarator] = listIn(nodeOf(node['left']) ?? node, 'declarations');
        const list = nodeOf(node['right']);
        const isIt = nameOf(declarator?.['id']) === name && list !== undefined;
        return isIt ? [{ kind: 'element', list }] : [];
      }
      case 'VariableDeclaration':
        return listIn(node, 'declarations').flatMap(declarator => declaredBy(declarator, name));
      default:
        return [];
    }
  }

  #imported(node: Node, name: string): readonly Declaration[] {
    const isIt = listIn(node, 'specifiers').some(({ local }) => nameOf(local) === name);
    const from = dirname(this.#fileOf.get(node) ?? '');
    const source = String(Reflect.get(Object(node['source']), 'value'));
    const program = this.#programs.get(join(from, source));
    if (!isIt || program === undefined) return [];
    return childrenOf(program).flatMap(child => this.#declarationIn(child, name));
  }
}

/** Where a name comes from. */
type Declaration =
  | { readonly kind: 'value'; readonly value: Node }
  | { readonly kind: 'element'; readonly list: Node }
  | { readonly kind: 'property'; readonly object: Node }
  | { readonly kind: 'parameter'; readonly to: Node; readonly index: number };

function declaredBy(declarator: Node, name: string): readonly Declaration[] {
  const value = nodeOf(declarator['init']);
  const id = nodeOf(declarator['id']);
  if (value === undefined || id === undefined) return [];
  if (nameOf(id) === name) return [{ kind: 'value', value }];
  const isPart = listIn(id, 'properties').some(({ value: part }) => nameOf(part) === name);
  return isPart ? [{ kind: 'property', object: value }] : [];
}

function parameterOf(to: Node, name: string): readonly Declaration[] {
  const index = listIn(to, 'params').findIndex(parameter => nameOf(parameter) === name);
  return index < 0 ? [] : [{ kind: 'parameter', to, index }];
}

/** The level and message of `logger.warn(…)` and `….logger.error(…)`. */
function loggerCall(
  node: Node,
): { readonly level: string; readonly message: Node | undefined } | undefined {
  const callee = node.type === 'CallExpression' ? nodeOf(node['callee']) : undefined;
  const level = nameOf(callee?.['property']);
  const object = nodeOf(callee?.['object']);
  const logger = nameOf(object) ?? nameOf(object?.['property']);
  if (logger !== 'logger' || !isLoud(level)) return undefined;
  return { level, message: listIn(node, 'arguments')[0] };
}

/** The level and message of `this.#logOnce('warn', …)`, which passes both on. */
function leveledCall(
  node: Node,
): { readonly level: string; readonly message: Node | undefined } | undefined {
  if (node.type !== 'CallExpression' || !calledName(node)?.startsWith('log')) return undefined;
  const [level, message] = listIn(node, 'arguments');
  return isLoud(level?.['value']) ? { level: level['value'], message } : undefined;
}

/** The level and message of an event's line: `['warn', …]`. */
function eventLine(
  node: Node,
): { readonly level: string; readonly message: Node | undefined } | undefined {
  if (node.type !== 'ArrayExpression') return undefined;
  const [level, message, ...more] = listIn(node, 'elements');
  const isText =
    message !== undefined &&
    /^(TemplateLiteral|BinaryExpression|ConditionalExpression|Identifier|CallExpression)$/.test(
      message.type,
    );
  if (!isLoud(level?.['value']) || !isText || more.length > 0) return undefined;
  return { level: level['value'], message };
}

function isLoud(level: unknown): level is 'warn' | 'error' {
  return level === 'warn' || level === 'error';
}

function isSuperCall(node: Node): boolean {
  return node.type === 'CallExpression' && nodeOf(node['callee'])?.type === 'Super';
}

function calledName(call: Node): string | undefined {
  const callee = nodeOf(call['callee']);
  return nameOf(callee) ?? nameOf(callee?.['property']);
}

function nameOf(value: unknown): string | undefined {
  const name = nodeOf(value)?.['name'];
  return typeof name === 'string' ? name : undefined;
}

function nodeOf(value: unknown): Node | undefined {
  return isNode(value) ? value : undefined;
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string'
  );
}

function listIn(node: Node, field: string): readonly Node[] {
  const list = node[field];
  return Array.isArray(list) ? list.filter(isNode) : [];
}

function childrenOf(node: Node): readonly Node[] {
  return Object.values(node).flatMap((value: unknown) =>
    (Array.isArray(value) ? value : [value]).filter(isNode),
  );
}

function joined(left: readonly string[], right: readonly string[]): readonly string[] {
  return left.flatMap(start => right.map(end => start + end));
}

/** Two values side by side look like one. */
function tidy(text: string): string {
  return text.replaceAll(/…+/g, hole).replaceAll(/\s+/g, ' ');
}

function unique(lines: readonly Line[]): readonly Line[] {
  return [...new Map(lines.map(line => [`${line.kind} ${line.text}`, line])).values()];
}
