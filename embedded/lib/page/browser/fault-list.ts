import type { FaultView } from '../messages.js';
import * as calls from './calls.js';
import { button, byId, element, setChildren, setText } from './element.js';

interface FaultRow {
  readonly node: HTMLLIElement;
  readonly hits: HTMLElement;
}

/** The faults that are on. */
export class FaultList {
  #rows = new Map<string, FaultRow>();

  show(faults: readonly FaultView[]): void {
    const list = byId('fault-list');
    const hadFocus = list.contains(document.activeElement);
    const rows = faults.map(fault => [fault.id, this.#rows.get(fault.id) ?? rowOf(fault)] as const);
    this.#rows = new Map(rows);
    for (const { id, hits } of faults) {
      const row = this.#rows.get(id);
      if (row !== undefined)
        setText(row.hits, hits === 1 ? '1 request hit' : `${hits} requests hit`);
    }
    setChildren(
      list,
      rows.map(([, { node }]) => node),
    );
    byId('no-faults').hidden = faults.length > 0;
    if (!hadFocus || list.contains(document.activeElement)) return;
    const heir = list.querySelector('button') ?? document.querySelector('#faults summary');
    if (heir instanceof HTMLElement) heir.focus();
  }
}

function rowOf(fault: FaultView): FaultRow {
  const name = nameOf(fault);
  const hits = element('span', { class: 'quiet' });
  const words = element('span', {}, name, ' ', hits);
  const off = button('Switch off', () => void calls.endFault(fault.id), `Switch off ${name}`);
  return { node: element('li', {}, words, off), hits };
}

/** What a fault is, and whom it hits: `delay (ms 2000) on heartbeat`. */
function nameOf({ kind, settings, match }: FaultView): string {
  const numbers = Object.entries(settings).filter(([, value]) => typeof value !== 'object');
  const numbersText = numbers.map(([name, value]) => `${name} ${String(value)}`).join(', ');
  const matchText = Object.entries(match)
    .map(([name, value]) => (name === 'operation' ? String(value) : `${name} ${value}`))
    .join(', ');
  const parts = [kind, numbersText && `(${numbersText})`, matchText && `on ${matchText}`];
  return parts.filter(part => part !== '').join(' ');
}
