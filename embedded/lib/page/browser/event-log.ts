import type { ChangeView } from '../messages.js';

/** One line of the list of events. */
export interface EventLine {
  readonly id: number;
  readonly kind: ChangeView['kind'] | 'renewed';
  /** Milliseconds since 1970 by the clock of the registry. */
  readonly at: number;
  readonly text: string;
}

/** As many as the registry remembers; older ones are dropped. */
const maxChanges = 500;

/** Older ones are dropped: renewals go on for ever, and must not push the changes out. */
const maxRenewals = 100;

/** Renewals within so many milliseconds share a line. */
const renewalsTogetherMs = 5000;

/** The changes since the registry started, and the renewals that the page has received; newest first. */
export class EventLog {
  #lines: EventLine[] = [];
  #lastId = 0;
  #renewals: { readonly startedAt: number; count: number; readonly texts: Set<string> } | undefined;

  get lines(): readonly EventLine[] {
    return this.#lines;
  }

  add({ kind, at, service, instance }: ChangeView): void {
    const name = `${service.serviceName} ${service.version}`;
    const text = instance === undefined ? `service ${name}` : `${name} ${instance.instanceId}`;
    this.#renewals = undefined;
    this.#push({ kind, at, text });
  }

  /** Starts again with the changes of the registry's own history, oldest first. */
  replace(changes: readonly ChangeView[]): void {
    this.#lines = [];
    this.#renewals = undefined;
    for (const change of changes) this.add(change);
  }

  /** Adds renewals, to the previous line if possible, and counts them. */
  addRenewals(names: readonly string[], at: number): void {
    const together = this.#renewals;
    const isOn = together !== undefined && at - together.startedAt < renewalsTogetherMs;
    if (isOn) this.#lines.shift();
    const { startedAt, count, texts } = isOn
      ? together
      : { startedAt: at, count: 0, texts: new Set<string>() };
    for (const name of names) if (texts.size < 3) texts.add(name);
    this.#renewals = { startedAt, count: count + names.length, texts };
    const [only] = texts;
    const text = texts.size === 1 ? String(only) : `${count + names.length} leases`;
    this.#push({ kind: 'renewed', at, text });
  }

  #push(line: Omit<EventLine, 'id'>): void {
    this.#lastId += 1;
    this.#lines.unshift({ id: this.#lastId, ...line });
    const isRenewal = line.kind === 'renewed';
    const alike = this.#lines.filter(({ kind }) => (kind === 'renewed') === isRenewal);
    const oldest = alike[isRenewal ? maxRenewals : maxChanges];
    if (oldest !== undefined) this.#lines.splice(this.#lines.indexOf(oldest), 1);
  }
}

/** Summarizes changes in one sentence for a screen reader; empty if there are none. */
export function summaryOf(changes: readonly ChangeView[]): string {
  const [only] = changes;
  if (only !== undefined && changes.length === 1) {
    const { kind, service, instance } = only;
    const what = instance === undefined ? 'service' : `instance ${instance.instanceId} of`;
    return `${what} ${service.serviceName} ${kind}.`;
  }
  const counts = new Map<string, number>();
  for (const { kind } of changes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const parts = [...counts].map(([kind, count]) => `${count} ${kind}`);
  return parts.length === 0 ? '' : `${parts.join(', ')}.`;
}
