/** The middle of some figures. */
export function median(figures) {
  return percentile(figures, 50);
}

/** The figure that this many per cent do not exceed. */
export function percentile(figures, percent) {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil((sorted.length * percent) / 100) - 1, 0)];
}

/** A figure with as many digits as are worth reading. */
export function rounded(figure) {
  return Number(figure.toPrecision(3));
}

/** Milliseconds of CPU time that this process takes for some work. */
export async function cpuMsOf(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
