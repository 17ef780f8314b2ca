/** What the greeter answers, and the caller expects. */
export interface Greeting {
  readonly message: string;
  /** Id of the instance that greets. */
  readonly from: string;
}

export function isGreeting(value: unknown): value is Greeting {
  return (
    typeof value === 'object' &&
    value !== null &&
    'message' in value &&
    typeof value.message === 'string' &&
    'from' in value &&
    typeof value.from === 'string'
  );
}
