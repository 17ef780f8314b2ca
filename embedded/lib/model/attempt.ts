import { RegistryError } from './registry-error.js';

/** What an attempt gives, or the refusal it meets. Anything else that is thrown is a bug, and surfaces. */
export function attempt<Value>(act: () => Value): Value | RegistryError {
  try {
    return act();
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
}

/** The refusal that an attempt meets, in one line; undefined when it meets none. */
export function failureOf(act: () => void): string | undefined {
  const outcome = attempt(act);
  return outcome instanceof RegistryError ? outcome.message : undefined;
}
