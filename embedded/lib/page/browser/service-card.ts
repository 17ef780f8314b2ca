import { leaseLeft } from './board.js';
import type { BoardService, BoardInstance } from './board.js';
import { button, element, setChildren, setText, setTime, timeOf } from './element.js';
import type { SchemaView, ServiceDetails, ServiceView } from '../messages.js';
import * as calls from './calls.js';

/** How many instances of a service are shown at first; each click shows ten times as many more. */
const step = 10;

/** A service on the page, with some or all of its instances. */
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
  readonly #facts = new ServiceFacts();
  readonly #list = element('ul', { class: 'instances' });
  readonly #more = button('', () => this.#showMore());
  #rows = new Map<string, InstanceRow>();
  #shown: BoardService | undefined;
  #limit = step;

  constructor() {
    this.#more.className = 'more';
    const head = element('header', {}, this.#title, this.#about, this.#count);
    const parts = [head, this.#facts.node, this.#list, this.#more];
    this.node = element('article', { class: 'service' }, ...parts);
  }

  /** Shows the current state of a service. */
  show(shown: BoardService, now: number): void {
    this.#shown = shown;
    const { service, instances } = shown;
    setText(this.#name, service.serviceName);
    setText(this.#version, service.version);
    setText(this.#about, aboutOf(shown));
    this.#facts.show(service);
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

  /** Updates the remaining time of each lease. */
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
    const focus = this.#keepFocus(rows);
    this.#rows = rows;
    setChildren(
      this.#list,
      [...rows.values()].map(({ node }) => node),
    );
    focus();
  }

  /** If the instance with the keyboard focus is removed, the next one gets the focus. */
  #keepFocus(rows: ReadonlyMap<string, InstanceRow>): () => void {
    const before = [...this.#rows];
    const at = before.findIndex(([, { focused }]) => focused !== -1);
    const [key, row] = before[at] ?? [];
    if (key === undefined || row === undefined || rows.has(key)) return () => {};
    const { focused } = row;
    const [, next] = before.slice(at + 1).find(([each]) => rows.has(each)) ?? [];
    const nextRow = next ?? [...rows.values()].at(-1);
    return () => (nextRow === undefined ? this.#title.focus() : nextRow.focus(focused));
  }

  #showMore(): void {
    this.#limit += 10 * step;
    const { size } = this.#rows;
    if (this.#shown !== undefined) this.show(this.#shown, performance.now());
    // The button may be hidden now, so the first new row gets the focus.
    [...this.#rows.values()][size]?.focus(0);
  }
}

function aboutOf({ service }: BoardService): string {
  const { appId, environment, tenant } = service;
  const parts = [`application ${appId}`, environment, tenant === 'default/default' ? '' : tenant];
  return parts.filter(part => part !== '').join(' · ');
}

/** What is known of a service besides its instances: read when it is opened, since it is seldom looked at. */
class ServiceFacts {
  readonly #list = element('dl');
  readonly #summary = element('summary', {}, 'Id, schemas, tags, and who calls whom');
  readonly node = element('details', { class: 'facts' }, this.#summary, this.#list);
  #service: ServiceView | undefined;

  constructor() {
    this.node.addEventListener('toggle', () => void this.#read());
  }

  /** Reads the service again if it is open. */
  show(service: ServiceView): void {
    const isNew = this.#service !== service;
    this.#service = service;
    this.#summary.setAttribute(
      'aria-label',
      `More about ${service.serviceName} ${service.version}`,
    );
    if (isNew) void this.#read();
  }

  async #read(): Promise<void> {
    const service = this.#service;
    if (!this.node.open || service === undefined) return;
    const details = await calls.detailsOf(service);
    if (this.#service !== service) return;
    const rows = details === undefined ? [] : factsOf(service, details);
    setChildren(
      this.#list,
      rows.flatMap(([name, ...values]) => [
        element('dt', {}, name),
        element('dd', {}, ...(values.length === 0 ? ['none'] : values)),
      ]),
    );
  }
}

type Fact = readonly [name: string, ...values: readonly (Node | string)[]];

function factsOf(service: ServiceView, details: ServiceDetails): readonly Fact[] {
  const { description, framework, level, tags, providers, consumers } = details;
  const pairs = Object.entries({ ...service.properties }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const tagged = Object.entries(tags).map(([name, value]) => `${name}=${value}`);
  const textOrNone = (text: string): readonly string[] => (text === '' ? [] : [text]);
  const listed = (texts: readonly string[]): readonly string[] => textOrNone(texts.join(', '));
  const facts: readonly Fact[] = [
    ['serviceId', details.serviceId],
    ['description', ...textOrNone(description)],
    ['framework', ...textOrNone(framework)],
    ['level', ...textOrNone(level)],
    ['properties', ...listed(pairs)],
    ['tags', ...listed(tagged)],
    ['schemas', ...details.schemas.flatMap(schema => schemaLink(service, schema))],
    ['calls', ...listed(providers)],
    ['is called by', ...listed(consumers)],
  ];
  return facts;
}

/** A schema that was declared and never uploaded has no text to look at. */
function schemaLink(service: ServiceView, { schemaId, length }: SchemaView): readonly Node[] {
  if (length === null) return [element('span', { class: 'line' }, `${schemaId} (not uploaded)`)];
  const attributes = {
    href: calls.schemaPath(service, schemaId),
    target: '_blank',
    rel: 'noopener',
  };
  const link = element('a', { attributes }, schemaId);
  return [element('span', { class: 'line' }, link, ` ${length} characters`)];
}

/** An instance on the page. */
export class InstanceRow {
  readonly node: HTMLLIElement;
  readonly #status = element('span', { class: 'status' });
  readonly #id = element('span', { class: 'id' });
  readonly #host = element('span', { class: 'quiet' });
  readonly #endpoints = element('span', { class: 'line' });
  readonly #fill = element('div', { class: 'fill' });
  readonly #left = element('span', { class: 'left' });
  readonly #renewedAt = timeOf(0);
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
        element('span', { class: 'beat quiet' }, 'last heartbeat ', this.#renewedAt),
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

  /** Shows the current state of an instance. */
  show(instance: BoardInstance, now: number): void {
    const before = this.#shown;
    this.#shown = instance;
    if (instance.lease !== undefined) setTime(this.#renewedAt, instance.lease.renewedAt);
    this.tick(now);
    setText(this.#status, instance.status || 'no status');
    this.#status.dataset['status'] = instance.status;
    setText(this.#id, instance.instanceId);
    setText(this.#host, instance.hostName);
    // The same object has the same content: a renewal replaces neither.
    if (before?.endpoints !== instance.endpoints) this.#showEndpoints(instance.endpoints);
    if (before?.properties !== instance.properties)
      this.#showProperties(Object.entries(instance.properties));
  }

  /** Updates the remaining time of the lease. */
  tick(now: number): void {
    const lease = this.#shown?.lease;
    if (lease === undefined) return;
    const { share, level, text } = leaseLeft(lease, now);
    this.#fill.style.transform = `scaleX(${share.toFixed(4)})`;
    this.#fill.dataset['level'] = level;
    setText(this.#left, text);
  }

  /** Index of the button that has the focus; -1 if none has. */
  get focused(): number {
    return [...this.node.querySelectorAll('button')].findIndex(
      each => each === document.activeElement,
    );
  }

  /** Focuses one of the buttons. */
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
