/**
 * Made-up outliers from normal rows, to see which detectors notice them (after the four kinds of ADBench, Han et al., NeurIPS
 * 2022, section 3.2: global, local, dependency and clustered; three of them here). Works on inputs, whatever they were.
 */
import type { Rng } from '../../core/random.ts';

/** `far`: a column beyond all others; `mixed`: half of the columns from another row; `between`: any values inside the ranges. */
export const outlierKinds = ['far', 'mixed', 'between'] as const;
export type OutlierKind = (typeof outlierKinds)[number];

/** Normal rows, and which of their inputs belong together. */
export interface RowBlock {
  /** `[rows, width]`. */
  readonly values: Float32Array;
  readonly width: number;
  /** Inputs of each column: 1 of a number, one for each text of a categorical one. */
  readonly columns: readonly number[];
}

/** How far beyond the largest value, in widths of the range. */
const BEYOND = [0.3, 1.5] as const;

/**
 * One outlier from each row, in turn of each kind: `values` as those given, `kinds` by row. A table of one column gets the kind
 * `far` alone, since nothing can be mixed. Columns that never vary are left alone unless all are like that.
 */
export function plantOutliers(
  { values, width, columns }: RowBlock,
  rng: Rng,
): { readonly values: Float32Array; readonly kinds: readonly OutlierKind[] } {
  const rows = values.length / width;
  const low = new Float32Array(width).fill(Number.POSITIVE_INFINITY);
  const high = new Float32Array(width).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < values.length; i++) {
    low[i % width] = Math.min(low[i % width], values[i]);
    high[i % width] = Math.max(high[i % width], values[i]);
  }
  const starts: number[] = [];
  for (let c = 0, at = 0; c < columns.length; at += columns[c++]) starts.push(at);
  const varies = (c: number) => low[starts[c]] < high[starts[c]];
  const numbers = [...columns.keys()].filter((c) => columns[c] === 1);
  const moving = numbers.filter(varies);
  const far = moving.length > 0 ? moving : numbers;
  const known = columns.length === 1 || rows < 2 ? outlierKinds.slice(0, 1) : outlierKinds;
  const out = values.slice();
  const kinds: OutlierKind[] = [];
  for (let r = 0; r < rows; r++) {
    const own = rng.split(r);
    const kind = far.length === 0 ? 'mixed' : known[r % known.length];
    kinds.push(kind);
    const at = r * width;
    if (kind === 'far') {
      const c = starts[far[own.int(far.length)]];
      const size = high[c] - low[c] || 1;
      const beyond = size * (BEYOND[0] + (BEYOND[1] - BEYOND[0]) * own.uniform());
      out[at + c] = own.int(2) === 1 ? high[c] + beyond : low[c] - beyond;
    } else if (kind === 'between') {
      for (const c of numbers)
        out[at + starts[c]] = low[starts[c]] + own.uniform() * (high[starts[c]] - low[starts[c]]);
    } else {
      const other = (r + 1 + own.int(Math.max(1, rows - 1))) % rows;
      const taken = own.permutation(columns.length).subarray(0, Math.ceil(columns.length / 2));
      for (const c of taken) {
        const from = other * width + starts[c];
        out.set(values.subarray(from, from + columns[c]), at + starts[c]);
      }
    }
  }
  return { values: out, kinds };
}
