import type { Answer } from '../api/answer.js';
import type { Ledger } from '../model/ledger.js';

/** Node dates each answer by this machine's clock, which is the registry's unless that is another one. */
export function dated(answer: Answer, ledger: Ledger): Answer {
  const now = ledger.toldNow();
  if (Math.abs(now - Date.now()) < 1_000) return answer;
  return { ...answer, headers: { Date: new Date(now).toUTCString(), ...answer.headers } };
}
