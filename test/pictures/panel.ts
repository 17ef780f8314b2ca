import { element, pixels, text } from './svg.js';

/** A panel of the dashboard, as far as it is drawn. */
export interface DrawnPanel {
  readonly title: string;
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit?: string;
      readonly min?: number;
      readonly max?: number;
      readonly mappings?: readonly {
        readonly options: Readonly<Record<string, { readonly text: string }>>;
      }[];
    };
  };
}

/** A series with its legend; the time is in seconds. */
export interface Series {
  readonly legend: string;
  readonly points: readonly (readonly [time: number, value: number])[];
}

/** The part of the time that the panels show, in seconds. */
export interface TimeRange {
  readonly start: number;
  readonly end: number;
  /** The distance of two points; where it is longer, a line has a gap. */
  readonly step: number;
  /** When something went wrong: it is shaded. */
  readonly outage?: { readonly start: number; readonly end: number };
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const palette = [
  '#73bf69',
  '#f2cc0c',
  '#5794f2',
  '#ff9830',
  '#f2495c',
  '#8ab8ff',
  '#b877d9',
  '#96d98d',
];
const faint = '#8e9099';
const bright = '#d8d9dd';
const fontSize = 11;
/** Of an average character at that size. */
const characterWidth = 5.9;
const titleHeight = 26;
const legendRow = 16;
/** The least distance of two values at the axis. */
const tickDistance = 22;

/** Draws a panel as Grafana does, with the legend below. */
export function drawPanel(
  panel: DrawnPanel,
  series: readonly Series[],
  { box, range }: { readonly box: Box; readonly range: TimeRange },
): string {
  const { x, y, width, height } = box;
  const legend = legendOf(series, width - 20);
  const legendHeight = legend.length * legendRow;
  const plot = {
    x: x + 70,
    y: y + titleHeight + 6,
    width: width - 82,
    height: height - titleHeight - legendHeight - 34,
  };
  const scale = new Scale(panel, series, { box: plot, range });
  const noData = text('No data', {
    x: pixels(plot.x + plot.width / 2),
    y: pixels(plot.y + plot.height / 2),
    fill: faint,
    'font-size': 13,
    'text-anchor': 'middle',
  });
  return [
    element('rect', { x, y, width, height, rx: 3, fill: '#181b1f', stroke: '#2b2e34' }),
    text(panel.title, { x: x + 10, y: y + 18, fill: bright, 'font-size': 13, 'font-weight': 500 }),
    ...scale.draw(),
    ...series.map(({ points }, index) => drawLine(points, index, { scale, range })),
    ...(series.length === 0 ? [noData] : []),
    ...legend.map((row, index) =>
      drawLegend(row, { x: x + 12, y: y + height - legendHeight + index * legendRow + 5 }),
    ),
  ].join('\n');
}

/** Puts times and values into the plot, and draws its axes. */
class Scale {
  readonly #bottom: number;
  readonly #top: number;
  readonly #ticks: readonly number[];

  constructor(
    private readonly panel: DrawnPanel,
    series: readonly Series[],
    private readonly plot: { readonly box: Box; readonly range: TimeRange },
  ) {
    const { min = 0, max } = panel.fieldConfig.defaults;
    const values = series.flatMap(({ points }) => points.map(([, value]) => value));
    const highest = Math.max(...values, 0) || 1;
    this.#bottom = min;
    const step = stepFor((max ?? highest) - min, plot.box.height / tickDistance);
    this.#top = max ?? min + Math.ceil((highest - min) / step) * step;
    const count = Math.floor((this.#top - min) / step + 1e-9) + 1;
    const all = Array.from({ length: count }, (_, index) => min + index * step);
    const mapped = this.#mappings.map(([value]) => Number(value));
    this.#ticks = mapped.length > 0 ? mapped : all;
  }

  xOf(time: number): number {
    const { box, range } = this.plot;
    return pixels(box.x + ((time - range.start) / (range.end - range.start)) * box.width);
  }

  yOf(value: number): number {
    const { box } = this.plot;
    const share = (value - this.#bottom) / (this.#top - this.#bottom);
    return pixels(box.y + (1 - share) * box.height);
  }

  draw(): readonly string[] {
    const { box, range } = this.plot;
    const { outage } = range;
    const label = { fill: faint, 'font-size': fontSize };
    const shade =
      outage === undefined
        ? []
        : [
            element('rect', {
              x: this.xOf(outage.start),
              y: box.y,
              width: pixels(this.xOf(outage.end) - this.xOf(outage.start)),
              height: box.height,
              fill: '#f2495c',
              'fill-opacity': 0.12,
            }),
          ];
    const rows = this.#ticks.flatMap(tick => [
      gridLine(box.x, this.yOf(tick), { toX: box.x + box.width, toY: this.yOf(tick) }),
      text(this.#format(tick), {
        ...label,
        x: box.x - 6,
        y: this.yOf(tick) + 4,
        'text-anchor': 'end',
      }),
    ]);
    const columns = timesIn(range).map(time =>
      text(clockTime(time - range.start), {
        ...label,
        x: this.xOf(time),
        y: pixels(box.y + box.height + 15),
        'text-anchor': 'middle',
      }),
    );
    return [...shade, ...rows, ...columns];
  }

  get #mappings(): readonly (readonly [string, { readonly text: string }])[] {
    const { mappings = [] } = this.panel.fieldConfig.defaults;
    return mappings.flatMap(({ options }) => Object.entries(options));
  }

  #format(value: number): string {
    const [, mapped] = this.#mappings.find(([key]) => Number(key) === value) ?? [];
    if (mapped !== undefined) return mapped.text;
    return formatted(value, { unit: this.panel.fieldConfig.defaults.unit, top: this.#top });
  }
}

/** Writes a value in the unit of its panel. @throws Error for a unit that is not known here */
export function formatted(
  value: number,
  { unit = 'none', top }: { readonly unit?: string | undefined; readonly top: number },
): string {
  const short = (each: number) => String(Number(each.toPrecision(3)));
  if (value === 0 && unit !== 'none') return unit === 'ops' ? '0 ops/s' : '0 s';
  switch (unit) {
    case 'none':
      return short(value);
    case 'ops':
      return `${short(value)} ops/s`;
    case 's':
      return top < 1 ? `${short(value * 1_000)} ms` : `${short(value)} s`;
    default:
      throw new Error(`The pictures know no unit ${unit}`);
  }
}

/** The least step of 1, 2 or 5 times a power of ten with so many steps at most. */
function stepFor(span: number, most: number): number {
  const least = span / Math.max(1, Math.floor(most));
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5].find(factor => factor * power >= least) ?? 10;
  return step * power;
}

/** Each 20 s. */
function timesIn({ start, end }: TimeRange): readonly number[] {
  return Array.from({ length: Math.ceil((end - start) / 20) }, (_, nth) => start + nth * 20);
}

function clockTime(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
}

function gridLine(x1: number, y1: number, to: { readonly toX: number; readonly toY: number }) {
  return element('line', { x1, y1, x2: to.toX, y2: to.toY, stroke: '#2b2e34' });
}

function colourOf(index: number): string {
  return palette[index % palette.length] ?? bright;
}

function drawLine(
  points: Series['points'],
  index: number,
  { scale, range }: { readonly scale: Scale; readonly range: TimeRange },
): string {
  const d = points
    .map(([time, value], nth) => {
      const [before = -Infinity] = points[nth - 1] ?? [];
      const point = `${scale.xOf(time)} ${scale.yOf(value)}`;
      // A point that stands alone is a dot.
      return time - before > 1.5 * range.step ? `M${point}h0` : `L${point}`;
    })
    .join('');
  const stroke = colourOf(index);
  return element('path', {
    d,
    stroke,
    fill: 'none',
    'stroke-width': 1.5,
    'stroke-linecap': 'round',
  });
}

interface LegendEntry {
  readonly legend: string;
  readonly index: number;
  /** From the left edge of the legend. */
  readonly left: number;
}

/** Breaks the legend into rows. */
function legendOf(series: readonly Series[], width: number): readonly (readonly LegendEntry[])[] {
  const rows: LegendEntry[][] = [];
  let left = Infinity;
  for (const [index, { legend }] of series.entries()) {
    const length = legend.length * characterWidth + 32;
    if (left + length > width) {
      rows.push([]);
      left = 0;
    }
    rows.at(-1)?.push({ legend, index, left });
    left += length;
  }
  return rows;
}

function drawLegend(
  row: readonly LegendEntry[],
  { x, y }: { readonly x: number; readonly y: number },
): string {
  return row
    .map(({ legend, index, left }) => {
      const mark = { x: pixels(x + left), y: y - 5, width: 12, height: 3, rx: 1 };
      const label = { x: pixels(x + left + 17), y, fill: bright, 'font-size': fontSize };
      return element('rect', { ...mark, fill: colourOf(index) }) + text(legend, label);
    })
    .join('');
}
