/** The greeter's answer, as the caller expects it. */
export interface Greeting {
  readonly message: string;
  /** Id of the instance that greets. */
  readonly from: string;
}
