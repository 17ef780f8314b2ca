/** Class and attributes of a new element. */
export interface ElementOptions {
  readonly class?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Creates an element. Text is inserted as text, never as markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  options: ElementOptions = {},
  ...content: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  if (options.class !== undefined) created.className = options.class;
  for (const [attribute, value] of Object.entries(options.attributes ?? {}))
    created.setAttribute(attribute, value);
  created.append(...content);
  return created;
}

/** Creates a button. */
export function button(text: string, act: () => void, label = text): HTMLButtonElement {
  const created = element('button', { attributes: { type: 'button' } }, text);
  if (label !== text) created.setAttribute('aria-label', label);
  created.addEventListener('click', act);
  return created;
}

/** Returns an element of the document. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The document has no #${id}.`);
  return found;
}

/** Sets a text only if it differs, to avoid rendering. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets the children and their order, and leaves those that are in place. */
export function setChildren(parent: Element, children: readonly Element[]): void {
  const wanted = new Set(children);
  for (const child of Array.from(parent.children)) if (!wanted.has(child)) child.remove();
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
}

/** Returns an element for a moment of the registry's clock, in the reader's time format. */
export function timeOf(at: number): HTMLTimeElement {
  const time = element('time');
  setTime(time, at);
  return time;
}

/** Changes the moment that an element shows. */
export function setTime(time: HTMLTimeElement, at: number): void {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return;
  const iso = moment.toISOString();
  if (time.dateTime === iso) return;
  time.dateTime = iso;
  time.title = iso;
  setText(time, moment.toLocaleTimeString(undefined, { hour12: false }));
}
