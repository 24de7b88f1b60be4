/**
 * Correlations of each window of a series with all others, row after row: a row follows from the one before with two products
 * a pair. For detectors that need more of a row than its largest value; `diagonals.ts` costs less than half for that one.
 */
import { covarianceAt, restarts, updateFactors, type WindowStatistics } from './window-statistics.ts';

/** Walks down the rows; `next` returns the covariances of window i = 0, 1, … with all windows `[N]`, in an array that is reused. */
export class CovarianceRows {
  private readonly windows: WindowStatistics;
  private readonly df: Float64Array;
  private readonly dg: Float64Array;
  private row: Float64Array;
  private above: Float64Array;
  private readonly anew: ReadonlySet<number>;
  private i = 0;

  constructor(windows: WindowStatistics) {
    this.windows = windows;
    const { df, dg } = updateFactors(windows);
    this.anew = new Set(restarts(windows));
    this.df = df;
    this.dg = dg;
    this.row = new Float64Array(windows.count);
    this.above = new Float64Array(windows.count);
  }

  next(): Float64Array {
    const { windows, df, dg, row: above, above: row, i } = this;
    const { count } = windows;
    if (this.anew.has(i)) {
      for (let j = 0; j < count; j++) row[j] = covarianceAt(windows, i, windows, j);
    } else {
      const f = df[i];
      const g = dg[i];
      row[0] = covarianceAt(windows, i, windows, 0);
      for (let j = 1; j < count; j++) row[j] = above[j - 1] + f * dg[j] + df[j] * g;
    }
    this.row = row;
    this.above = above;
    this.i++;
    return row;
  }
}
