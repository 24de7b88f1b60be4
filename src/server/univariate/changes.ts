/**
 * Change points of a series: places where the line through the points after differs from the line through those before, in its level or
 * in its slope, by more than chance moves it. A running median takes out single points first. Left out: changes of the spread alone.
 */
import { leastSpread, seasonOf } from './band.ts';
import { median, rollingMedian, scaleOf } from './order.ts';

/** How many deviations a change must have at least. */
const LEAST = 5;
/** Points of a line at least, and where no window and no period is given. */
export const LEAST_WINDOW = 5;
const MOST_WINDOW = 50;

/** What is said of each point. */
export interface Changes {
  readonly isChangePoint: boolean[];
  /** [0, 1): 0 up to the least change that counts, 0.5 at twice as much. */
  readonly confidence: number[];
}

/** The window of lines where the caller names none: a period, or a tenth of the points. */
export function windowOf(points: number, period: number): number {
  const wanted = period >= LEAST_WINDOW ? period : Math.min(MOST_WINDOW, Math.round(points / 10));
  return Math.max(LEAST_WINDOW, Math.min(wanted, Math.floor(points / 2)));
}

/**
 * The change points of complete values `[n]`. `threshold` (0, 1]: a change counts whose confidence is at least 1 − threshold, so that
 * lower ones let less pass.
 */
export function changesOf(
  values: Float64Array,
  { period, window: w, threshold }: { readonly period: number; readonly window: number; readonly threshold: number },
): Changes {
  const n = values.length;
  const { season } = seasonOf(values, period);
  const bare = values.map((value, t) => value - season[t]);
  const x = rollingMedian(bare, { first: (t) => t - 2, end: (t) => t + 3 });
  const line = linesOf(x);
  const [jumps, bends] = [new Float64Array(n).fill(Number.NaN), new Float64Array(n).fill(Number.NaN)];
  for (let t = w; t + w <= n; t++) {
    const [before, after] = [line(t - w, t), line(t, t + w)];
    jumps[t] = after.mean - after.slope * ((w - 1) / 2) - (before.mean + before.slope * ((w + 1) / 2));
    bends[t] = (after.slope - before.slope) * w;
  }
  const noise = scaleOf(differences(bare)) / Math.SQRT2;
  const least = Math.max(noise / Math.sqrt(w), leastSpread(bare));
  // Deviations of the end of a line and of its slope, of independent noise; or as they are over the series.
  const sizes = [2.83 * least, 4.9 * least].map((size, i) => {
    const found = i === 0 ? jumps : bends;
    const middle = median(found);
    return Math.max(size, scaleOf(found.map((value) => value - middle)) || 0);
  });
  const strength = Float64Array.from(jumps, (jump, t) =>
    Number.isNaN(jump) ? 0 : Math.max(Math.abs(jump) / sizes[0], Math.abs(bends[t]) / sizes[1]),
  );
  const confidence = Array.from(strength, (size) => Math.max(0, 1 - LEAST / Math.max(size, LEAST)));
  const isChangePoint = Array<boolean>(n).fill(false);
  for (const [t, value] of confidence.entries()) {
    if (value === 0 || value < 1 - threshold || !isHighest(strength, t, w)) continue;
    const place = bestSplit(line, t - w, t + w);
    isChangePoint[place] = true;
    confidence[place] = Math.max(confidence[place], value);
  }
  return { isChangePoint, confidence };
}

/** Where two lines through the points of [from, end) leave the least: a change in the slope is felt before a change in the level is. */
function bestSplit(line: Lines, from: number, end: number): number {
  let best = { place: from, error: Number.POSITIVE_INFINITY };
  for (let t = from + LEAST_WINDOW; t + LEAST_WINDOW <= end; t++) {
    const error = line(from, t).error + line(t, end).error;
    if (error < best.error) best = { place: t, error };
  }
  return best.place;
}

/** No point within `reach` is higher, and none before it as high. */
function isHighest(values: Float64Array, t: number, reach: number): boolean {
  for (let u = Math.max(0, t - reach); u <= Math.min(values.length - 1, t + reach); u++) {
    if (values[u] > values[t] || (u < t && values[u] === values[t])) return false;
  }
  return true;
}

const differences = (x: Float64Array) => x.subarray(1).map((value, t) => value - x[t]);

/** The line of least squares through the values of [from, end): its mean, its slope, and the sum of the squares that it leaves. */
type Lines = (from: number, end: number) => { readonly mean: number; readonly slope: number; readonly error: number };

function linesOf(values: Float64Array): Lines {
  const centre = median(values);
  const x = values.map((value) => value - centre); // so that sums of squares lose no digits
  const [sums, moments, squares] = [1, 2, 3].map(() => new Float64Array(x.length + 1));
  for (let t = 0; t < x.length; t++) {
    sums[t + 1] = sums[t] + x[t];
    moments[t + 1] = moments[t] + t * x[t];
    squares[t + 1] = squares[t] + x[t] ** 2;
  }
  return (from, end) => {
    const count = end - from;
    const sum = sums[end] - sums[from];
    const moment = moments[end] - moments[from] - (from + (count - 1) / 2) * sum;
    const spread = (count * (count * count - 1)) / 12;
    const error = squares[end] - squares[from] - sum ** 2 / count - moment ** 2 / spread;
    return { mean: sum / count + centre, slope: moment / spread, error };
  };
}
