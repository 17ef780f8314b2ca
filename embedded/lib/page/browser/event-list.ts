import type { ChangeView } from '../messages.js';
import { byId, element, setChildren, setText, timeOf } from './element.js';
import { summaryOf } from './event-log.js';
import type { EventLine, EventLog } from './event-log.js';

/** Milliseconds during which changes are collected before they are read out. */
const readOutMs = 4000;

/** The list of events on the page, and the announcements for screen readers. */
export class EventList {
  readonly #log: EventLog;
  readonly #rows = new Map<number, HTMLLIElement>();
  #unread: ChangeView[] = [];

  constructor(log: EventLog) {
    this.#log = log;
    byId('show-renewals').addEventListener('change', () => this.show());
  }

  /** Shows the newest events. */
  show(): void {
    const box = byId('show-renewals');
    const withRenewals = box instanceof HTMLInputElement && box.checked;
    const lines = this.#log.lines.filter(({ kind }) => withRenewals || kind !== 'renewed');
    const ids = new Set(lines.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
    setChildren(
      byId('event-list'),
      lines.map(line => this.#rowOf(line)),
    );
    byId('no-events').hidden = lines.length > 0;
  }

  /** Announces changes soon, all in one sentence; renewals are not announced. */
  announce(changes: readonly ChangeView[]): void {
    if (this.#unread.length === 0)
      setTimeout(() => {
        setText(byId('announcement'), summaryOf(this.#unread));
        this.#unread = [];
      }, readOutMs);
    this.#unread.push(...changes);
  }

  #rowOf({ id, kind, at, text }: EventLine): HTMLLIElement {
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    const words = element('span', {}, element('strong', {}, kind), ` ${text}`);
    const row = element('li', { attributes: { 'data-kind': kind } }, timeOf(at), words);
    this.#rows.set(id, row);
    return row;
  }
}
