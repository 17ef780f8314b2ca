import * as calls from './calls.js';
import { element, button, byId, setChildren, setText } from './element.js';
import { faultBodyOf, faultOffers, faultTargets } from './fault-kinds.js';
import type { FaultOffer } from './fault-kinds.js';
import type { FaultView } from '../messages.js';

/** The form that switches a fault on. */
export class FaultForm {
  readonly node: HTMLFormElement;
  readonly #kind = element(
    'select',
    {},
    ...faultOffers.map(({ kind, label }) => option(kind, label)),
  );
  readonly #numbers = element('div');
  readonly #operation = element(
    'select',
    {},
    option('', 'every request'),
    ...faultTargets.map(name => option(name, name)),
  );
  readonly #times = numberInput({ min: 1, max: 1_000_000 });
  readonly #match = element(
    'div',
    {},
    labelled('Requests', this.#operation),
    labelled('How many (empty: until switched off)', this.#times),
  );

  constructor() {
    const go = element('button', { class: 'main', attributes: { type: 'submit' } }, 'Switch on');
    this.node = element(
      'form',
      {},
      labelled('Kind', this.#kind),
      this.#numbers,
      this.#match,
      element('div', {}, go),
    );
    this.#kind.addEventListener('change', () => this.#fit());
    this.node.addEventListener('submit', event => {
      event.preventDefault();
      void this.#startFault();
    });
    this.#fit();
  }

  get #offer(): FaultOffer | undefined {
    return faultOffers.find(({ kind }) => kind === this.#kind.value);
  }

  /** Shows the fields of the selected kind. */
  #fit(): void {
    const offer = this.#offer;
    this.#match.hidden = offer?.hasMatch === false;
    this.#numbers.replaceChildren(
      ...(offer?.numbers ?? []).map(({ name, label, value, min, max }) => {
        const input = numberInput({ min, max });
        input.name = name;
        input.required = true;
        input.valueAsNumber = value;
        return labelled(label, input);
      }),
    );
  }

  async #startFault(): Promise<void> {
    const offer = this.#offer;
    if (offer === undefined) return;
    const inputs = [...this.#numbers.querySelectorAll('input')];
    const numbers = new Map(inputs.map(input => [input.name, input.valueAsNumber]));
    const times = this.#times.value === '' ? undefined : this.#times.valueAsNumber;
    const operation = this.#operation.value;
    await calls.startFault(faultBodyOf({ offer, numbers, operation, times }));
  }
}

function option(value: string, text: string): HTMLOptionElement {
  const made = element('option', {}, text);
  made.value = value;
  return made;
}

/** Returns a label with its control. */
function labelled(text: string, control: HTMLElement): HTMLElement {
  control.id = `fault-${text.toLowerCase().replaceAll(/\W+/g, '-')}`;
  const label = element('label', { attributes: { for: control.id } }, text);
  return element('div', { class: 'field' }, label, control);
}

function numberInput({
  min,
  max,
}: {
  readonly min: number;
  readonly max: number;
}): HTMLInputElement {
  const input = element('input', { attributes: { type: 'number', step: '1' } });
  input.min = String(min);
  input.max = String(max);
  return input;
}

interface FaultRow {
  readonly node: HTMLLIElement;
  readonly hits: HTMLElement;
}

/** The list of active faults. */
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
    const nextFocus = list.querySelector('button') ?? document.querySelector('#faults summary');
    if (nextFocus instanceof HTMLElement) nextFocus.focus();
  }
}

function rowOf(fault: FaultView): FaultRow {
  const name = nameOf(fault);
  const hits = element('span', { class: 'quiet' });
  const words = element('span', {}, name, ' ', hits);
  const off = button('Switch off', () => void calls.endFault(fault.id), `Switch off ${name}`);
  return { node: element('li', {}, words, off), hits };
}

/** Describes a fault and its requests: `delay (ms 2000) on heartbeat`. */
function nameOf({ kind, settings, match }: FaultView): string {
  const numbers = Object.entries(settings).filter(([, value]) => typeof value !== 'object');
  const numbersText = numbers.map(([name, value]) => `${name} ${String(value)}`).join(', ');
  const matchText = Object.entries(match)
    .map(([name, value]) => (name === 'operation' ? String(value) : `${name} ${value}`))
    .join(', ');
  const parts = [kind, numbersText && `(${numbersText})`, matchText && `on ${matchText}`];
  return parts.filter(part => part !== '').join(' ');
}
