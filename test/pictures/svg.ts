/** Attributes of an element by name. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Returns an element of an SVG; undefined attributes are left out. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
    .join('');
  return content === '' ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

/** Returns a text at a point. */
export function text(content: string, attributes: Attributes): string {
  return element('text', attributes, escaped(content));
}

/** Returns text as it stands in an SVG. */
function escaped(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** What a whole picture needs besides its parts. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Read by screen readers, and shown by some browsers. */
  readonly title: string;
  readonly background: string;
  readonly fontFamily: string;
}

/** Puts parts together to a picture. Each stands on a line of its own, so that differences can be read. */
export function picture(frame: Frame, parts: readonly string[]): string {
  const { width, height, title, background, fontFamily } = frame;
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'font-family': fontFamily,
  };
  const backdrop = element('rect', { width, height, rx: 8, fill: background });
  const content = [element('title', {}, escaped(title)), backdrop, ...parts].join('\n');
  return `${element('svg', attributes, `\n${content}\n`)}\n`;
}

/** Returns a number of pixels with one digit behind the point at most. */
export function pixels(length: number): number {
  return Math.round(length * 10) / 10;
}
