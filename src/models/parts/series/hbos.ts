/**
 * Outliers by histograms (HBOS, Goldstein and Dengel 2012), with the rules of PyOD that the published figures follow from: bins
 * of equal width between the least and the largest value of a column, densities, and −log2 of the density plus .1, summed over
 * the columns. A value on an inner edge belongs to the upper bin when counted and to the lower one when scored. Left out: bins
 * of equal counts, and the choice of their number.
 */

/** One histogram a column. */
export interface Hbos {
  readonly width: number;
  readonly bins: number;
  /** Edges `[width, bins + 1]`, rising. */
  readonly edges: Float64Array;
  /** log2(density + .1) of bins `[width, bins]`. */
  readonly logs: Float64Array;
}

/** Added to densities, so that an empty bin has a finite score. */
const ALPHA = 0.1;
/** How far outside of all bins a value still counts to the last, in bins. */
export const TOLERANCE = 0.5;

/** Histograms of rows `[N, width]`, N ≥ 1; a constant column has bins from half a unit below to half a unit above. */
export function fitHbos(rows: Float64Array, width: number, bins = 10): Hbos {
  const n = rows.length / width;
  const edges = new Float64Array(width * (bins + 1));
  const logs = new Float64Array(width * bins);
  const counts = new Float64Array(bins);
  for (let c = 0; c < width; c++) {
    let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = c; k < rows.length; k += width) {
      if (rows[k] < least) least = rows[k];
      if (rows[k] > largest) largest = rows[k];
    }
    if (least === largest) [least, largest] = [least - 0.5, largest + 0.5];
    const step = (largest - least) / bins;
    const edge = edges.subarray(c * (bins + 1), (c + 1) * (bins + 1));
    for (let b = 0; b <= bins; b++) edge[b] = b === bins ? largest : least + b * step;
    counts.fill(0);
    for (let k = c; k < rows.length; k += width) {
      let b = Math.min(Math.floor(((rows[k] - least) / (largest - least)) * bins), bins - 1);
      if (rows[k] < edge[b]) b--;
      else if (b < bins - 1 && rows[k] >= edge[b + 1]) b++;
      counts[b]++;
    }
    for (let b = 0; b < bins; b++) logs[c * bins + b] = Math.log2(counts[b] / n / (edge[b + 1] - edge[b]) + ALPHA);
  }
  return { width, bins, edges, logs };
}

/** Scores `[N]` of rows `[N, width]`; a value far outside of all bins scores as the emptiest. */
export function scoreHbos({ width, bins, edges, logs }: Hbos, rows: Float64Array): Float64Array {
  const out = new Float64Array(rows.length / width);
  for (let c = 0; c < width; c++) {
    const edge = edges.subarray(c * (bins + 1), (c + 1) * (bins + 1));
    const log = logs.subarray(c * bins, (c + 1) * bins);
    const emptiest = log.reduce((a, b) => Math.min(a, b));
    const slack = (edge[1] - edge[0]) * TOLERANCE;
    for (let r = 0; r < out.length; r++) {
      const value = rows[r * width + c];
      out[r] -= value < edge[0] - slack || value > edge[bins] + slack ? emptiest : log[binOf(edge, value)];
    }
  }
  return out;
}

/** The bin b with edge b < value ≤ edge b + 1; the first and the last reach on. */
function binOf(edge: Float64Array, value: number): number {
  let [low, high] = [0, edge.length - 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= edge[middle + 1]) high = middle;
    else low = middle + 1;
  }
  return low;
}
