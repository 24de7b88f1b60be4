/** Medians of series in which values may be missing (NaN). */

/** The median of the finite values; NaN where there is none. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort();
  if (sorted.length === 0) return Number.NaN;
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The value below which a share of the finite values lies, without interpolation; NaN where there is none. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort();
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Values in order, which come and go. */
class Sorted {
  private readonly values: Float64Array;
  private size = 0;

  constructor(most: number) {
    this.values = new Float64Array(most);
  }

  /** The first place whose value is at least `value`. */
  private placeOf(value: number): number {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  add(value: number): void {
    if (Number.isNaN(value)) return;
    const at = this.placeOf(value);
    this.values.copyWithin(at + 1, at, this.size++);
    this.values[at] = value;
  }

  remove(value: number): void {
    if (Number.isNaN(value)) return;
    const at = this.placeOf(value);
    this.values.copyWithin(at, at + 1, this.size--);
  }

  get median(): number {
    if (this.size === 0) return Number.NaN;
    const half = this.size >> 1;
    return this.size % 2 === 1 ? this.values[half] : (this.values[half - 1] + this.values[half]) / 2;
  }
}

/**
 * The median of each window `[first(t), end(t))`, clipped to the series; both bounds never fall from one t to the next. With
 * `skip`, the value at t itself is left out. NaN where a window has no value.
 */
export function rollingMedian(
  x: Float64Array,
  { first, end, skip = false }: { first: (t: number) => number; end: (t: number) => number; skip?: boolean },
): Float64Array {
  const sorted = new Sorted(x.length);
  const out = new Float64Array(x.length);
  let [from, to] = [0, 0];
  for (let t = 0; t < x.length; t++) {
    const [low, high] = [Math.max(0, first(t)), Math.min(x.length, end(t))];
    while (to < high) sorted.add(x[to++]);
    while (from < low) sorted.remove(x[from++]);
    const isInside = skip && t >= low && t < high;
    if (isInside) sorted.remove(x[t]);
    out[t] = sorted.median;
    if (isInside) sorted.add(x[t]);
  }
  return out;
}

/** Shares of sizes, and the deviations of a normal distribution below which so many lie. */
const SHARES = [
  [0.5, 0.6745],
  [0.8, 1.2816],
] as const;

/**
 * A robust standard deviation of values around 0: the larger one of those by the median of their sizes and by the size below which 80 %
 * lie, so that neither a fifth of anomalies widens it, nor many equal values make it small; where both are 0, 1.2533 times the mean
 * size (Iglewicz and Hoaglin 1993). 0 for no values.
 */
export function scaleOf(residuals: Float64Array): number {
  const sizes = residuals.filter(Number.isFinite).map(Math.abs).sort();
  if (sizes.length === 0) return 0;
  const scale = Math.max(
    ...SHARES.map(([share, deviations]) => sizes[Math.floor(share * (sizes.length - 1))] / deviations),
  );
  return scale > 0 ? scale : (1.2533 * sizes.reduce((sum, size) => sum + size, 0)) / sizes.length;
}
