/** The result of routing: a target, or an answer 405 or 404. */
export type Routed<Target> =
  | {
      readonly kind: 'found';
      /** The path of the route, with `:name` segments. */
      readonly pattern: string;
      readonly target: Target;
      readonly parameters: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'wrong-method'; readonly allow: readonly string[] }
  | { readonly kind: 'unknown' };

/** A route: method, path with `:name` segments, and target. */
export interface RouteEntry<Target> {
  readonly method: string;
  readonly path: string;
  readonly target: Target;
}

interface Template<Target> extends RouteEntry<Target> {
  readonly segments: readonly string[];
}

/** The order of methods in a 405; the order of the server is random. */
const methodOrder = ['GET', 'POST', 'PUT', 'DELETE'];

/**
 * Finds the route of a request. The whole path must match, including a trailing slash
 * (pkg/rest/router.go).
 */
export class Router<Target> {
  readonly #byLength = new Map<number, Template<Target>[]>();

  constructor(routes: readonly RouteEntry<Target>[]) {
    for (const route of routes) {
      const segments = route.path.split('/');
      const templates = this.#byLength.get(segments.length) ?? [];
      templates.push({ ...route, segments });
      this.#byLength.set(segments.length, templates);
    }
  }

  /** @param path unescaped: an escaped slash separates segments too */
  route(method: string, path: string): Routed<Target> {
    const segments = path.split('/');
    const methods = new Set<string>();
    for (const template of this.#byLength.get(segments.length) ?? []) {
      if (!matches(template.segments, segments)) continue;
      if (template.method === method) {
        const parameters = parametersOf(template.segments, segments);
        const { path: pattern, target } = template;
        return { kind: 'found', pattern, target, parameters };
      }
      methods.add(template.method);
    }
    if (methods.size === 0) return { kind: 'unknown' };
    return { kind: 'wrong-method', allow: methodOrder.filter(name => methods.has(name)) };
  }
}

function matches(template: readonly string[], segments: readonly string[]): boolean {
  return template.every((part, at) =>
    part.startsWith(':') ? segments[at] !== '' : part === segments[at],
  );
}

function parametersOf(
  template: readonly string[],
  segments: readonly string[],
): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [at, part] of template.entries())
    if (part.startsWith(':')) parameters.set(part.slice(1), segments[at] ?? '');
  return parameters;
}
