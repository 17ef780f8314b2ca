import type { BoardService } from './board.js';
import { button, element, setChildren, setText } from './element.js';
import { InstanceRow } from './instance-row.js';

/** How many instances of a service are shown at first, and how many more at each wish. */
const step = 10;

/** A service on the page, with as many of its instances as its reader wants to see. */
export class ServiceCard {
  readonly node: HTMLElement;
  readonly #name = element('span');
  readonly #version = element('span', { class: 'version' });
  readonly #title = element(
    'h3',
    { attributes: { tabindex: '-1' } },
    this.#name,
    ' ',
    this.#version,
  );
  readonly #about = element('p', { class: 'quiet' });
  readonly #count = element('p', { class: 'quiet count' });
  readonly #list = element('ul', { class: 'instances' });
  readonly #more = button('', () => this.#showMore());
  #rows = new Map<string, InstanceRow>();
  #shown: BoardService | undefined;
  #limit = step;

  constructor() {
    this.#more.className = 'more';
    const head = element('header', {}, this.#title, this.#about, this.#count);
    this.node = element('article', { class: 'service' }, head, this.#list, this.#more);
  }

  /** Shows a service as it is now. */
  show(shown: BoardService, now: number): void {
    this.#shown = shown;
    const { service, instances } = shown;
    setText(this.#name, service.serviceName);
    setText(this.#version, service.version);
    setText(this.#about, aboutOf(shown));
    setText(this.#count, instances.size === 1 ? '1 instance' : `${instances.size} instances`);
    this.#list.setAttribute('aria-label', `Instances of ${service.serviceName} ${service.version}`);
    this.#showRows(now);
    const hidden = Math.max(instances.size - this.#limit, 0);
    this.#more.hidden = hidden === 0;
    setText(
      this.#more,
      `Show ${Math.min(hidden, 10 * step)} more of ${service.serviceName} (${hidden} not shown)`,
    );
  }

  /** Shows what is left of each lease by now. */
  tick(now: number): void {
    for (const row of this.#rows.values()) row.tick(now);
  }

  #showRows(now: number): void {
    if (this.#shown === undefined) return;
    const { service, instances } = this.#shown;
    const rows = new Map<string, InstanceRow>();
    for (const [key, instance] of instances) {
      if (rows.size === this.#limit) break;
      const row = this.#rows.get(key) ?? new InstanceRow(service, instance);
      row.show(instance, now);
      rows.set(key, row);
    }
    const focus = this.#focusThatGoes(rows);
    this.#rows = rows;
    setChildren(
      this.#list,
      [...rows.values()].map(({ node }) => node),
    );
    focus();
  }

  /** Who works by keyboard goes on with the next instance when the one with the focus goes. */
  #focusThatGoes(rows: ReadonlyMap<string, InstanceRow>): () => void {
    const before = [...this.#rows];
    const at = before.findIndex(([, { focused }]) => focused !== -1);
    const [key, row] = before[at] ?? [];
    if (key === undefined || row === undefined || rows.has(key)) return () => {};
    const { focused } = row;
    const [, next] = before.slice(at + 1).find(([each]) => rows.has(each)) ?? [];
    const heir = next ?? [...rows.values()].at(-1);
    return () => (heir === undefined ? this.#title.focus() : heir.focus(focused));
  }

  #showMore(): void {
    this.#limit += 10 * step;
    const { size } = this.#rows;
    if (this.#shown !== undefined) this.show(this.#shown, performance.now());
    // The button may be gone now; the first of the new ones is where to go on.
    [...this.#rows.values()][size]?.focus(0);
  }
}

function aboutOf({ service }: BoardService): string {
  const { appId, environment, tenant } = service;
  const parts = [`application ${appId}`, environment, tenant === 'default/default' ? '' : tenant];
  return parts.filter(part => part !== '').join(' · ');
}
