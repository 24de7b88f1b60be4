/**
 * What Evaluate computes, by the functions that the command line uses: scores are sorted once, and every threshold is then a matter of
 * binary searches.
 */
import {
  clopperPearson,
  countFrom,
  type HeldOutRate,
  heldOutRate,
  type PrCurve,
  prCurve,
  type RankedPoints,
  type RocCurve,
  rankedPoints,
  rocCurve,
} from 'oddity/metrics';
import type { ScoresAnswer } from '../../../src/studio/evaluate/answers.ts';

/** Bars of a group. */
const BINS = 60;

export type GroupName = 'held' | 'normal' | 'anomalous';

/** Scores of one kind. */
export interface Group {
  readonly name: GroupName;
  /** Ascending. */
  readonly scores: Float64Array;
}

/** Where scores lie on the axis of the histogram. */
export interface Axis {
  readonly isLog: boolean;
  /** Of a score, from 0 at the left end to 1; scores beyond the ends lie at them. */
  placeOf(score: number): number;
  /** The score at a place. */
  valueAt(place: number): number;
}

/** The items of one class. */
export interface TypeScores {
  readonly type: string;
  readonly label: number;
  /** Ascending. */
  readonly scores: Float64Array;
}

export interface Model {
  readonly scores: Float64Array;
  readonly labels: Uint8Array;
  readonly points: RankedPoints;
  /** Of held-out normals, ascending. */
  readonly normalScores: Float64Array;
  /** Ends of the axis; thresholds move between them. */
  readonly low: number;
  readonly high: number;
  /** There are scores above the axis. */
  readonly isCut: boolean;
  readonly groups: readonly Group[];
  readonly types: readonly TypeScores[];
  readonly roc: RocCurve | null;
  readonly pr: PrCurve | null;
  /** What the held-out normals say of a threshold. */
  heldOut(threshold: number): HeldOutRate;
}

export function modelOf({ scores: given, labels: told, classes, normalScores: held, threshold }: ScoresAnswer): Model {
  const scores = Float64Array.from(given, (score) => score ?? Number.NaN);
  const labels = Uint8Array.from(told);
  const points = rankedPoints(scores, labels);
  const normalScores = Float64Array.from(held);
  const all = Float64Array.from([...scores.filter((score) => Number.isFinite(score)), ...normalScores]).sort();
  const low = all[0] ?? 0;
  // A few huge scores must not press all others into one bar.
  const wide = all[Math.floor(0.995 * (all.length - 1))] ?? 1;
  const reach = Math.max(wide, threshold.value ?? low);
  const high = reach > low ? reach + (reach - low) / BINS : low + (Math.abs(low) || 1);
  const sets: readonly (readonly [GroupName, Float64Array])[] = [
    ['held', normalScores],
    ['normal', points.normals],
    ['anomalous', points.anomalies],
  ];
  const groups = sets.flatMap(([name, sorted]): Group[] => (sorted.length === 0 ? [] : [{ name, scores: sorted }]));
  const { folds, together } = threshold;
  return {
    ...{ scores, labels, points, normalScores, low, high, groups },
    isCut: (all.at(-1) ?? 0) > high,
    types: typesOf(scores, labels, classes),
    roc: rocCurve(scores, labels),
    pr: prCurve(scores, labels),
    heldOut: (at) =>
      heldOutRate(countFrom(normalScores, at), normalScores.length, { isCrossFitted: folds !== undefined, together }),
  };
}

/** Scores that are this many times farther from the low end than most normals are spread on a logarithmic axis. */
const FAR = 12;

/** Half of the normals lie below this, counted from the low end; above 0. */
function spreadOf({ low, high, groups }: Model): number {
  const { scores } = groups.find(({ name }) => name !== 'anomalous') ?? groups[0];
  return Math.max(scores[scores.length >> 1] - low, (high - low) / 1e4);
}

/** True where most normals would share a few bars of an even axis. */
export const isWide = (model: Model): boolean =>
  model.groups.length > 0 && model.high - model.low > FAR * spreadOf(model);

/** An even axis, or one on which distances from the low end grow by ratios. */
export function axisOf(model: Model, isLog: boolean): Axis {
  const { low, high } = model;
  const clamp = (place: number) => Math.min(1, Math.max(0, place));
  if (!isLog || model.groups.length === 0) {
    return {
      isLog: false,
      placeOf: (score) => clamp((score - low) / (high - low)),
      valueAt: (place) => low + clamp(place) * (high - low),
    };
  }
  const unit = spreadOf(model);
  const whole = Math.log1p((high - low) / unit);
  return {
    isLog: true,
    placeOf: (score) => (score <= low ? 0 : clamp(Math.log1p((score - low) / unit) / whole)),
    valueAt: (place) => low + unit * Math.expm1(clamp(place) * whole),
  };
}

/** Share of a group in each bar of an axis; the last bar holds what lies beyond. */
export function barsOf(sorted: Float64Array, { valueAt }: Axis): number[] {
  return Array.from({ length: BINS }, (_, i) => {
    const begin = i === 0 ? sorted.length : countFrom(sorted, valueAt(i / BINS));
    const end = i === BINS - 1 ? 0 : countFrom(sorted, valueAt((i + 1) / BINS));
    return (begin - end) / sorted.length;
  });
}

/** Round numbers along an axis. */
export function ticksOf({ isLog, valueAt }: Axis): number[] {
  const [low, high] = [valueAt(0), valueAt(1)];
  if (isLog) return [...new Set([0.15, 0.35, 0.55, 0.75, 0.95].map((place) => Number(valueAt(place).toPrecision(2))))];
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((n) => n * power >= rough) ?? 10);
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: 20 }, (_, i) => Number((first + i * step).toPrecision(12))).filter(
    (tick) => tick <= high,
  );
}

function typesOf(scores: Float64Array, labels: Uint8Array, classes: readonly string[]): TypeScores[] {
  const found = new Map<string, { type: string; label: number; own: number[] }>();
  for (const [i, type] of classes.entries()) {
    const key = `${labels[i]} ${type}`;
    const entry = found.get(key) ?? { type, label: labels[i], own: [] };
    entry.own.push(scores[i]);
    found.set(key, entry);
  }
  return [...found.values()]
    .map(({ type, label, own }) => ({ type, label, scores: Float64Array.from(own).sort() }))
    .sort((a, b) => b.label - a.label || a.type.localeCompare(b.type));
}

/** How many of a type reach a threshold, as a share with its interval. */
export function alarmsOf({ scores }: TypeScores, threshold: number) {
  const count = countFrom(scores, threshold);
  return { count, total: scores.length, share: count / scores.length, interval: clopperPearson(count, scores.length) };
}

/** Points of a curve that can be told apart in a chart; the ends stay. */
export function thin(x: ArrayLike<number>, y: ArrayLike<number>, isStep = false): string {
  let path = '';
  let [lastX, lastY] = [Number.NaN, Number.NaN];
  for (let i = 0; i < x.length; i++) {
    const isEnd = i === x.length - 1;
    if (!isEnd && Math.abs(x[i] - lastX) < 1 / 500 && Math.abs(y[i] - lastY) < 1 / 500) continue;
    const [px, py] = [(100 * x[i]).toFixed(2), (100 * (1 - y[i])).toFixed(2)];
    path += path === '' ? `M${px} ${py}` : isStep ? `V${py}H${px}` : `L${px} ${py}`;
    [lastX, lastY] = [x[i], y[i]];
  }
  return path;
}
