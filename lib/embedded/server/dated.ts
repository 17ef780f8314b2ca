import type { Answer } from '../api/answer.js';
import type { Ledger } from '../model/ledger.js';

/** Node dates each answer by this machine's clock, which is the registry's unless that is off. */
export function dated(answer: Answer, ledger: Ledger): Answer {
  if (ledger.skewMs === 0) return answer;
  const now = new Date(ledger.toldNow());
  return { ...answer, headers: { Date: now.toUTCString(), ...answer.headers } };
}
