/** Class and attributes of a new element. */
export interface Given {
  readonly class?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Creates an element. Text is inserted as text, never as markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  given: Given = {},
  ...content: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (given.class !== undefined) made.className = given.class;
  for (const [attribute, value] of Object.entries(given.attributes ?? {}))
    made.setAttribute(attribute, value);
  made.append(...content);
  return made;
}

/** Creates a button. */
export function button(text: string, act: () => void, label = text): HTMLButtonElement {
  const made = element('button', { attributes: { type: 'button' } }, text);
  if (label !== text) made.setAttribute('aria-label', label);
  made.addEventListener('click', act);
  return made;
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
