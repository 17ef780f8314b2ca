import type { ServiceView } from '../messages.js';
import type { BoardInstance } from './board.js';
import * as calls from './calls.js';
import { button, element, setChildren, setText, setTime, timeOf } from './element.js';
import { leaseLeft } from './lease-left.js';

/** An instance on the page. */
export class InstanceRow {
  readonly node: HTMLLIElement;
  readonly #status = element('span', { class: 'status' });
  readonly #id = element('span', { class: 'id' });
  readonly #host = element('span', { class: 'quiet' });
  readonly #endpoints = element('span', { class: 'line' });
  readonly #fill = element('div', { class: 'fill' });
  readonly #left = element('span', { class: 'left' });
  readonly #beatAt = timeOf(0);
  readonly #summary = element('summary');
  readonly #properties = element('dl');
  readonly #details = element('details', {}, this.#summary, this.#properties);
  #shown: BoardInstance | undefined;

  constructor(service: ServiceView, { instanceId }: BoardInstance) {
    const name = `${service.serviceName} ${service.version}, instance ${instanceId}`;
    const row = { instanceId };
    this.node = element(
      'li',
      { class: 'instance' },
      element('div', { class: 'line' }, this.#status, this.#id, this.#host, this.#endpoints),
      element(
        'div',
        { class: 'line' },
        element('div', { class: 'track', attributes: { 'aria-hidden': 'true' } }, this.#fill),
        this.#left,
        element('span', { class: 'beat quiet' }, 'last heartbeat ', this.#beatAt),
      ),
      element(
        'div',
        { class: 'line' },
        this.#details,
        element(
          'div',
          { class: 'actions' },
          button('Expire', () => void calls.expire(service, row), `Expire ${name}`),
          button('Remove', () => void calls.remove(service, row), `Remove ${name}`),
        ),
      ),
    );
    this.node.querySelector('button:last-child')?.classList.add('danger');
  }

  /** Shows an instance as it is now. */
  show(instance: BoardInstance, now: number): void {
    const before = this.#shown;
    this.#shown = instance;
    if (instance.lease !== undefined) setTime(this.#beatAt, instance.lease.renewedAt);
    this.tick(now);
    setText(this.#status, instance.status || 'no status');
    this.#status.dataset['status'] = instance.status;
    setText(this.#id, instance.instanceId);
    setText(this.#host, instance.hostName);
    // What is the same object says the same: a renewal leaves both as they are.
    if (before?.endpoints !== instance.endpoints) this.#showEndpoints(instance.endpoints);
    if (before?.properties !== instance.properties)
      this.#showProperties(Object.entries(instance.properties));
  }

  /** Shows what is left of the lease by now. */
  tick(now: number): void {
    const lease = this.#shown?.lease;
    if (lease === undefined) return;
    const { share, level, text } = leaseLeft(lease, now);
    this.#fill.style.transform = `scaleX(${share.toFixed(4)})`;
    this.#fill.dataset['level'] = level;
    setText(this.#left, text);
  }

  /** The button that has the focus, by its place among this row's. */
  get focused(): number {
    return [...this.node.querySelectorAll('button')].findIndex(
      each => each === document.activeElement,
    );
  }

  /** Gives the focus to one of the buttons. */
  focus(at: number): void {
    this.node.querySelectorAll('button')[at]?.focus();
  }

  #showEndpoints(endpoints: readonly string[]): void {
    setChildren(
      this.#endpoints,
      endpoints.map(endpoint => element('span', { class: 'endpoint' }, endpoint)),
    );
  }

  #showProperties(properties: readonly (readonly [string, string])[]): void {
    this.#details.hidden = properties.length === 0;
    setText(
      this.#summary,
      properties.length === 1 ? '1 property' : `${properties.length} properties`,
    );
    setChildren(
      this.#properties,
      properties.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
    );
  }
}
