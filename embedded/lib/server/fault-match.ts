import type { OperationName } from '../api/operations.js';

/** Which requests a fault hits: those that fulfil every condition given, all without any. */
export interface FaultMatch {
  readonly operation?: OperationName | undefined;
  readonly method?: string | undefined;
  /** Searched in path and query as they came. */
  readonly path?: RegExp | undefined;
  /**
   * How many requests it hits before it is spent.
   *
   * @default unlimited
   */
  readonly times?: number | undefined;
  /**
   * Where the fault strikes: `before` the request is executed, which then never happens (except
   * for a delay, which only puts it off), or `after`, when only the answer is lost, replaced or late.
   *
   * @default 'after' for a delay, 'before' for all others
   */
  readonly when?: 'before' | 'after' | undefined;
}

/** What a match looks at. */
export interface Matchable {
  readonly operation: OperationName | undefined;
  readonly method: string;
  readonly path: string;
}

/** True when a request fulfils a match's conditions, however often it may still do so. */
export function isMatch(match: FaultMatch, request: Matchable): boolean {
  const { operation = request.operation, method = request.method, path } = match;
  if (operation !== request.operation || method.toUpperCase() !== request.method) return false;
  // search() begins at the start every time; test() of a global expression does not.
  return path === undefined || request.path.search(path) !== -1;
}
