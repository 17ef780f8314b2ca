/** The middle of some figures. */
export function median(figures) {
  return percentile(figures, 50);
}

/** The figure that this many per cent do not exceed. */
export function percentile(figures, percent) {
  const sorted = Float64Array.from(figures).sort();
  return sorted[Math.max(Math.ceil((sorted.length * percent) / 100) - 1, 0)];
}

/** A figure with as many digits as are worth reading. */
export function rounded(figure) {
  return Number(figure.toPrecision(3));
}
