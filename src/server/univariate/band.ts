/**
 * What is expected of the points of one series, from that series alone, and how far from it points may lie: a moving median for the
 * level, a median for each phase of the period, and margins from the spread of what is left. Robust throughout: points that are far off
 * change neither. Left out: several periods at once, a season that changes.
 */
import { median, quantile, rollingMedian, scaleOf } from './order.ts';

/** Neighbours on each side, and points before, among which a level without a period is chosen. */
const SIDES = [1, 2, 4, 8, 16];
const BEFORE = [3, 7, 15, 31];
/** Of levels whose residuals are at most this much larger than the smallest, the smoothest is taken. */
const SMOOTHER = 1.1;
/** Cycles from which on each phase has a spread of its own. */
const CYCLES = 5;
/** The least spread, as a share of the range in which most values lie, or of their size where all are equal. */
const LEAST_SPREAD = 0.002;

/** The expected values of a series, and the spread of what it leaves. */
export interface Band {
  readonly expected: Float64Array;
  /** A robust standard deviation of each point, above 0: that of all points, or where those of its phase vary more, of these. */
  readonly spread: Float64Array;
}

/** How many spreads a margin has: 3 at sensitivity 99, 4.5 at 95, 9.5 at 0. */
export const widthOf = (sensitivity: number): number => 3 * (100 - sensitivity) ** 0.25;

/** The season of a series by phase and what is left without it; no season for period 0. */
export function seasonOf(
  x: Float64Array,
  period: number,
): { readonly season: Float64Array; readonly level: Float64Array } {
  const season = new Float64Array(x.length);
  if (period === 0) return { season, level: levelOf(x) };
  let level = levelOver(x, period);
  for (let round = 0; round < 2; round++) {
    const phases = Array.from({ length: period }, (_, phase) => {
      const values: number[] = [];
      for (let t = phase; t < x.length; t += period) values.push(x[t] - level[t]);
      const middle = median(values);
      return Number.isNaN(middle) ? 0 : middle;
    });
    for (let t = 0; t < x.length; t++) season[t] = phases[t % period];
    level = levelOver(
      x.map((value, t) => value - season[t]),
      period,
    );
  }
  return { season, level };
}

/** The median of a period around each point. Near the ends, where the period lies aside, it goes on by the slope there. */
function levelOver(x: Float64Array, period: number): Float64Array {
  const [before, last] = [Math.floor(period / 2), x.length - period];
  // The window stays inside, so that it always holds each phase once.
  const first = (t: number) => Math.min(Math.max(0, t - before), last);
  const level = rollingMedian(x, { first, end: (t) => first(t) + period });
  const slope = (t: number, way: number) => {
    const near = (level[t + way * period] - level[t]) / (way * period);
    const far = (level[t + 2 * way * period] - level[t + way * period]) / (way * period);
    if (!(near * far > 0)) return 0; // a step of the level is no slope
    return Math.abs(near) < Math.abs(far) ? near : far;
  };
  const [start, end] = [before, last + before];
  const [rise, fall] = [slope(start, 1), slope(end, -1)];
  return level.map((value, t) => value + (t < start ? rise * (t - start) : t > end ? fall * (t - end) : 0));
}

/** The median of neighbours, without the point itself, of as many as can be. */
function levelOf(x: Float64Array): Float64Array {
  const levels = SIDES.filter((side) => side === 1 || 4 * side < x.length).map((side) =>
    rollingMedian(x, { first: (t) => t - side, end: (t) => t + side + 1, skip: true }),
  );
  return smoothest(levels, x);
}

/** The last of the levels whose residuals are about as small as those of the best. */
function smoothest(levels: readonly Float64Array[], x: Float64Array): Float64Array {
  const spreads = levels.map((level) => scaleOf(x.map((value, t) => value - level[t])));
  const most = SMOOTHER * Math.min(...spreads);
  return levels[spreads.findLastIndex((spread) => spread <= most)];
}

/** The band around all points, from points on both sides. `x` `[n]` may hold NaN where values are missing. */
export function bandOf(x: Float64Array, period: number): Band {
  const { season, level } = seasonOf(x, period);
  const expected = complete(level.map((value, t) => value + season[t]));
  return { expected, spread: spreadOf(x, expected, period) };
}

/** The band at the last point, from the points before it alone; its expected value is the last of `expected`. */
export function bandAtLast(x: Float64Array, period: number): Band {
  const n = x.length - 1;
  const known = x.subarray(0, n);
  const { season } = seasonOf(known, period);
  const seasonAt = (t: number) => (period === 0 ? 0 : season[t % period]);
  const bare = x.map((value, t) => value - seasonAt(t));
  const hidden = bare.slice().fill(Number.NaN, n); // so that the last point chooses nothing
  // With a season the level is that of a whole period: a shorter one would follow what goes on to be odd.
  const counts = period > 0 ? [period] : BEFORE.filter((count) => count === BEFORE[0] || 2 * count < n);
  const levels = counts.map((count) => complete(rollingMedian(bare, { first: (t) => t - count, end: (t) => t })));
  const level = smoothest(levels, hidden);
  const errors = hidden.map((value, t) => value - level[t]);
  // A level of points before lags behind a slope, always by as much.
  const lag = median(errors);
  const expected = level.map((value, t) => value + seasonAt(t) + lag);
  const seen = hidden.map((value, t) => value + seasonAt(t));
  return { expected, spread: spreadOf(seen, expected, period) };
}

/** With the nearest value before, or behind, where there is none. */
function complete(values: Float64Array): Float64Array {
  const out = values.slice();
  for (let t = 1; t < out.length; t++) if (Number.isNaN(out[t])) out[t] = out[t - 1];
  for (let t = out.length - 2; t >= 0; t--) if (Number.isNaN(out[t])) out[t] = out[t + 1];
  return out;
}

function spreadOf(x: Float64Array, expected: Float64Array, period: number): Float64Array {
  const off = x.map((value, t) => value - expected[t]);
  const spread = new Float64Array(x.length).fill(Math.max(scaleOf(off), leastSpread(x)));
  if (period * CYCLES > x.length || period === 0) return spread;
  for (let phase = 0; phase < period; phase++) {
    const near: number[] = []; // of the phases beside it too: steps up and down come a little early or late
    for (let t = phase; t < x.length; t += period) near.push(off[t - 1], off[t], off[t + 1]);
    const own = scaleOf(Float64Array.from(near));
    for (let t = phase; t < x.length; t += period) spread[t] = Math.max(spread[t], own);
  }
  return spread;
}

/** So that rounding is no anomaly of a series that repeats exactly. */
export function leastSpread(x: Float64Array): number {
  const range = quantile(x, 0.95) - quantile(x, 0.05);
  const size = Math.abs(median(x));
  return LEAST_SPREAD * (range > 0 ? range : size > 0 ? size : 1);
}
