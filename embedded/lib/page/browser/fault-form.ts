import * as calls from './calls.js';
import { element } from './element.js';
import { faultBodyOf, faultOffers, faultTargets } from './fault-kinds.js';
import type { FaultOffer } from './fault-kinds.js';

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
    labelled('How many (empty: until it is switched off)', this.#times),
  );

  constructor() {
    const go = element('button', { class: 'main', attributes: { type: 'submit' } }, 'Switch on');
    this.node = element(
      'form',
      {},
      labelled('What goes wrong', this.#kind),
      this.#numbers,
      this.#match,
      element('div', {}, go),
    );
    this.#kind.addEventListener('change', () => this.#fit());
    this.node.addEventListener('submit', event => {
      event.preventDefault();
      void this.#putOn();
    });
    this.#fit();
  }

  get #offer(): FaultOffer | undefined {
    return faultOffers.find(({ kind }) => kind === this.#kind.value);
  }

  /** Shows the fields that the chosen kind has. */
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

  async #putOn(): Promise<void> {
    const offer = this.#offer;
    if (offer === undefined) return;
    const inputs = [...this.#numbers.querySelectorAll('input')];
    const numbers = new Map(inputs.map(input => [input.name, input.valueAsNumber]));
    const times = this.#times.value === '' ? undefined : this.#times.valueAsNumber;
    const operation = this.#operation.value;
    await calls.putOnFault(faultBodyOf({ offer, numbers, operation, times }));
  }
}

function option(value: string, text: string): HTMLOptionElement {
  const made = element('option', {}, text);
  made.value = value;
  return made;
}

/** A field: a label and the control that it is for. */
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
