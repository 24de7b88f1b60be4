/**
 * Steps of time: the usual one, gaps between them, and series with steps filled in or brought on a grid. Values of steps that
 * are filled in are missing (NaN); `missing-cells.ts` gives them values.
 */
import { type Series, stepsOf } from './series.ts';

/** Share of the usual step by which a difference of times may miss a multiple of it. */
const TOLERANCE = 0.1;

/** The differences of a series' times. */
export interface StepFacts {
  /** Their median, in milliseconds. */
  readonly usual: number;
  /** Those that are not near a multiple of it. */
  readonly odd: number;
  /** The step before the longest, and its length in milliseconds. */
  readonly longest: { readonly at: number; readonly length: number };
}

/** How many usual steps a difference of times is, at least one. */
export const multipleOf = (difference: number, usual: number): number => Math.max(1, Math.round(difference / usual));

/** The differences of ascending times; undefined for fewer than two. */
export function stepFacts(times: Float64Array): StepFacts | undefined {
  if (times.length < 2) return undefined;
  const differences = new Float64Array(times.length - 1);
  let at = 0;
  for (let t = 0; t < differences.length; t++) {
    differences[t] = times[t + 1] - times[t];
    if (differences[t] > differences[at]) at = t;
  }
  const usual = differences.slice().sort()[differences.length >> 1];
  let odd = 0;
  for (const d of differences) if (Math.abs(d - multipleOf(d, usual) * usual) > TOLERANCE * usual) odd++;
  return { usual, odd, longest: { at, length: differences[at] } };
}

/** Steps that are missing between the steps `at` and `at + 1`. */
export interface Gap {
  readonly at: number;
  readonly steps: number;
}

/** The gaps between ascending times, in their order. */
export function gapsOf(times: Float64Array, usual: number): Gap[] {
  const gaps: Gap[] = [];
  for (let t = 0; t + 1 < times.length; t++) {
    const steps = multipleOf(times[t + 1] - times[t], usual) - 1;
    if (steps > 0) gaps.push({ at: t, steps });
  }
  return gaps;
}

/** Those gaps that have at most `most` steps and that make up, the shortest first, at most `total` steps; in their order. */
export function fillable(gaps: readonly Gap[], most: number, total: number): Gap[] {
  let left = total;
  const chosen: Gap[] = [];
  for (const gap of [...gaps].sort((a, b) => a.steps - b.steps || a.at - b.at)) {
    if (gap.steps > most || gap.steps > left) break;
    left -= gap.steps;
    chosen.push(gap);
  }
  return chosen.sort((a, b) => a.at - b.at);
}

/**
 * The series with the steps of these gaps, evenly spaced, whose values are NaN and rows 0; they are anomalous where the steps on
 * both sides are. `gaps` in the order of
 * time. Steps that are filled in before the end of the training part belong to it.
 */
export function withSteps(series: Series, gaps: readonly Gap[]): Series {
  const { channels, values, times, labels, rows, train } = series;
  const [steps, width] = [stepsOf(series), channels.length];
  const added = gaps.reduce((n, gap) => n + gap.steps, 0);
  if (added === 0 || !times) return series;
  const out = {
    values: new Float64Array((steps + added) * width).fill(Number.NaN),
    times: new Float64Array(steps + added),
    labels: labels && new Uint8Array(steps + added),
    rows: new Uint32Array(steps + added),
  };
  let [next, shift] = [0, 0];
  for (const gap of [...gaps, { at: steps - 1, steps: 0 }]) {
    const end = gap.at + 1;
    out.values.set(values.subarray(next * width, end * width), (next + shift) * width);
    out.times.set(times.subarray(next, end), next + shift);
    out.labels?.set(labels!.subarray(next, end), next + shift);
    for (let t = next; t < end; t++) out.rows[t + shift] = rows ? rows[t] : t + 1;
    const length = (times[end] - times[gap.at]) / (gap.steps + 1);
    for (let k = 1; k <= gap.steps; k++) out.times[gap.at + shift + k] = times[gap.at] + k * length;
    if (out.labels && labels![gap.at] && labels![end])
      out.labels.fill(1, gap.at + shift + 1, gap.at + shift + 1 + gap.steps);
    shift += gap.steps;
    next = end;
  }
  const before = gaps.reduce((n, gap) => n + (gap.at + 1 < (train ?? 0) ? gap.steps : 0), 0);
  return {
    ...series,
    values: out.values,
    times: out.times,
    rows: out.rows,
    ...(out.labels && { labels: out.labels }),
    ...(train !== undefined && { train: train + before }),
  };
}

/**
 * The series in steps of `step` milliseconds from its first time on. A step of the result is the mean of the values that lie in
 * it, anomalous where any of them is, and for training where all of them are; steps without values are left out. Times may
 * come early by half a usual step.
 */
export function onGrid(series: Series & { readonly times: Float64Array }, step: number, usual: number): Series {
  const { channels, values, times, labels, rows, train } = series;
  const [steps, width] = [times.length, channels.length];
  const early = Math.min(usual, step) / 2;
  const cell = (t: number) => Math.floor((times[t] - times[0] + early) / step);
  let count = 0;
  const place = new Uint32Array(steps).map((_, t) => (t > 0 && cell(t) === cell(t - 1) ? count - 1 : count++));
  const sums = new Float64Array(count * width);
  const counts = new Uint32Array(count * width);
  const out = {
    times: new Float64Array(count),
    rows: new Uint32Array(count),
    labels: labels && new Uint8Array(count),
  };
  for (let t = steps - 1; t >= 0; t--) {
    const to = place[t];
    out.times[to] = times[0] + cell(t) * step;
    out.rows[to] = rows ? rows[t] : t + 1;
    if (labels?.[t]) out.labels![to] = 1;
    for (let d = 0; d < width; d++) {
      const value = values[t * width + d];
      if (!Number.isFinite(value)) continue;
      sums[to * width + d] += value;
      counts[to * width + d]++;
    }
  }
  return {
    id: series.id,
    channels,
    values: sums.map((sum, i) => sum / counts[i]),
    times: out.times,
    rows: out.rows,
    ...(out.labels && { labels: out.labels }),
    ...(train !== undefined && { train: train < steps ? place[train] : count }),
  };
}
