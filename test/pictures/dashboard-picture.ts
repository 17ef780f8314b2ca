import type { Panel } from '../deploy/expressions.js';
import { drawPanel, type Series, type TimeRange } from './panel.js';
import { picture, text } from './svg.js';

/** What each panel shows, by its id. */
export type PanelData = ReadonlyMap<number, readonly Series[]>;

export interface DashboardPictureParts {
  readonly panels: readonly Panel[];
  readonly data: PanelData;
  readonly range: TimeRange;
  /** A sentence above the panels. */
  readonly caption: string;
}

/** One unit of the dashboard's grid, which has 24 columns. */
const column = 50;
const row = 24;
const gap = 6;
const captionHeight = 40;

/** Draws panels where the dashboard has them. */
export function dashboardPicture({ panels, data, range, caption }: DashboardPictureParts): string {
  const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  const height = captionHeight + bottom * row + gap;
  const head = text(caption, { x: gap + 4, y: 26, fill: '#d8d9dd', 'font-size': 15 });
  const drawn = panels.map(panel => {
    const { x, y, w, h } = panel.gridPos;
    const box = {
      x: x * column + gap,
      y: captionHeight + y * row,
      width: w * column - gap,
      height: h * row - gap,
    };
    if (panel.type === 'row')
      return text(panel.title, { x: box.x + 4, y: box.y + 15, fill: '#d8d9dd', 'font-size': 14 });
    return drawPanel(panel, data.get(panel.id) ?? [], { box, range });
  });
  const frame = {
    width: 24 * column + gap,
    height,
    title: caption,
    background: '#111217',
    fontFamily: 'Inter,Helvetica,Arial,sans-serif',
  };
  return picture(frame, [head, ...drawn]);
}

/** Puts some panels into two columns, in this order. @throws Error where the dashboard has no such panel */
export function inTwoColumns(
  panels: readonly Panel[],
  titles: readonly string[],
): readonly Panel[] {
  return titles.map((title, index) => {
    const panel = panels.find(each => each.title === title);
    if (panel === undefined) throw new Error(`The dashboard has no panel ${title}`);
    const gridPos = { x: (index % 2) * 12, y: Math.floor(index / 2) * 8, w: 12, h: 8 };
    return { ...panel, gridPos };
  });
}
