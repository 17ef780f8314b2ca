/**
 * Whether the answer of a health source is good: `true`, or a result of @nestjs/terminus in which nothing is
 * down. `degraded` still serves. Anything else is not good, also what has no status at all.
 */
export function isGood(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return answer === true;
  // The result of HealthCheckService has a status of its own; that of an indicator has one for each key.
  if ('status' in answer && typeof answer.status === 'string') return serves(answer.status);
  const statuses = Object.values(answer).map(statusOf);
  return statuses.length > 0 && statuses.every(serves);
}

function statusOf(result: unknown): unknown {
  return typeof result === 'object' && result !== null && 'status' in result
    ? result.status
    : undefined;
}

function serves(status: unknown): boolean {
  return status === 'up' || status === 'ok' || status === 'degraded';
}
