import type { Board } from './board.js';
import { byId, element, setChildren, setText } from './element.js';
import { ServiceCard } from './service-card.js';

/** How many services are shown at first, and how many more after each click. */
const step = 30;

/** The services on the page. */
export class ServiceList {
  readonly #board: Board;
  readonly #filter = element('input');
  #cards = new Map<string, ServiceCard>();
  #limit = step;

  constructor(board: Board) {
    this.#board = board;
    const filter = byId('filter');
    this.#filter = filter instanceof HTMLInputElement ? filter : this.#filter;
    this.#filter.addEventListener('input', () => this.showAll());
    byId('more-services').addEventListener('click', () => {
      this.#limit += step;
      this.showAll();
    });
  }

  /** Shows the services that have changed. */
  show(): void {
    this.#show(this.#board.takeChanged());
  }

  /** Shows all services. */
  showAll(): void {
    this.#board.takeChanged();
    this.#show(undefined);
  }

  /** Updates the remaining time of each lease. */
  tick(): void {
    const now = performance.now();
    for (const card of this.#cards.values()) card.tick(now);
  }

  #show(changed: ReadonlySet<string> | undefined): void {
    const now = performance.now();
    const services = this.#board.services(this.#filter.value);
    const cards = new Map<string, ServiceCard>();
    for (const shown of services.slice(0, this.#limit)) {
      const { key } = shown.service;
      const known = this.#cards.get(key);
      const card = known ?? new ServiceCard();
      if (known === undefined || changed === undefined || changed.has(key)) card.show(shown, now);
      cards.set(key, card);
    }
    const hadFocus = byId('service-list').contains(document.activeElement);
    this.#cards = cards;
    setChildren(
      byId('service-list'),
      [...cards.values()].map(({ node }) => node),
    );
    if (hadFocus && !byId('service-list').contains(document.activeElement))
      byId('services').focus();
    this.#showCounts(services.length);
  }

  #showCounts(found: number): void {
    const { serviceCount, instanceCount } = this.#board;
    const hidden = Math.max(found - this.#limit, 0);
    byId('more-services').hidden = hidden === 0;
    setText(
      byId('more-services'),
      `Show ${Math.min(hidden, step)} more services (${hidden} not shown)`,
    );
    byId('empty').hidden = serviceCount > 0;
    byId('no-match').hidden = serviceCount === 0 || found > 0;
    const services = serviceCount === 1 ? '1 service' : `${serviceCount} services`;
    const instances = instanceCount === 1 ? '1 instance' : `${instanceCount} instances`;
    setText(byId('counts'), `${services}, ${instances}`);
  }
}
