/** Milliseconds in each unit of a duration of Go (time.ParseDuration). */
const unitsMs: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
const whole = new RegExp(`^[+-]?(?:${part.source})+$`);

/** Milliseconds of a duration as Go writes it, like `1h30m` or `900s`; undefined for what is none. */
export function durationMs(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!whole.test(text)) return undefined;
  const ms = [...text.matchAll(part)]
    .map(([, amount, unit]) => Number(amount) * (unitsMs.get(unit ?? '') ?? Number.NaN))
    .reduce((sum, each) => sum + each, 0);
  return text.startsWith('-') ? -ms : ms;
}
