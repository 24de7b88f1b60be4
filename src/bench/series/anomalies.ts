/**
 * Anomalies that are planted into a normal series, each a change of one piece of it: how a rule that sees no labels is chosen
 * where nothing that is judged later may take part. Sizes are in units of the series itself (its standard deviation, its
 * typical step), drawn from hard to plain.
 */
import type { Rng } from '../../core/random.ts';

export const anomalyKinds = ['cycle', 'level', 'drift', 'noise', 'scale', 'flat', 'spikes', 'outage'] as const;
export type AnomalyKind = (typeof anomalyKinds)[number];

/** A series with its labels. */
export interface LabelledSeries {
  readonly id: string;
  /** What the normal part is, `daily`, `smd`, …. */
  readonly family: string;
  readonly anomaly: AnomalyKind;
  /** `[T]` */
  readonly values: Float64Array;
  /** `[T]`, 1 = anomalous. */
  readonly labels: Uint8Array;
}

interface Piece {
  readonly x: Float64Array;
  readonly from: number;
  readonly to: number;
  /** Steps of a cycle, or of what is typical where there is none. */
  readonly period: number;
  /** Standard deviation of the normal series. */
  readonly std: number;
  readonly rng: Rng;
}

const between = (rng: Rng, low: number, high: number) => low + (high - low) * rng.uniform();
const sign = (rng: Rng) => (rng.uniform() < 0.5 ? -1 : 1);

/** A cycle that runs backwards, twice as fast, half as fast, upside down or not at all. */
function changeCycle({ x, from, to, rng }: Piece): void {
  const old = x.slice(from, to);
  const n = old.length;
  let mean = 0;
  for (const value of old) mean += value / n;
  const form = rng.int(5);
  for (let k = 0; k < n; k++) {
    const taken = [old[n - 1 - k], old[(2 * k) % n], old[k >> 1], 2 * mean - old[k], mean + 0.1 * (old[k] - mean)];
    x[from + k] = taken[form];
  }
}

const changes: Readonly<Record<AnomalyKind, (piece: Piece) => void>> = {
  cycle: changeCycle,
  level({ x, from, to, std, rng }) {
    const by = sign(rng) * between(rng, 0.7, 3) * std;
    for (let t = from; t < to; t++) x[t] += by;
  },
  drift({ x, from, to, std, rng }) {
    const by = sign(rng) * between(rng, 1.5, 4) * std;
    for (let t = from; t < to; t++) x[t] += (by * (t - from)) / (to - from);
  },
  noise({ x, from, to, std, rng }) {
    const noise = rng.normals(to - from, 0, between(rng, 0.4, 1.5) * std);
    for (let t = from; t < to; t++) x[t] += noise[t - from];
  },
  scale({ x, from, to, rng }) {
    let mean = 0;
    for (let t = from; t < to; t++) mean += x[t] / (to - from);
    const by = rng.uniform() < 0.5 ? between(rng, 0.2, 0.5) : between(rng, 1.6, 3);
    for (let t = from; t < to; t++) x[t] = mean + by * (x[t] - mean);
  },
  flat({ x, from, to }) {
    x.fill(x[from], from, to);
  },
  spikes({ x, from, to, std, rng }) {
    const by = sign(rng) * between(rng, 2, 6) * std;
    for (let t = from; t < to; t++) x[t] += by;
  },
  outage({ x, from, to, std, rng }) {
    let least = x[0];
    for (const value of x) if (value < least) least = value;
    const level = least - between(rng, 0, 0.5) * std;
    const noise = rng.normals(to - from, 0, 0.02 * std);
    for (let t = from; t < to; t++) x[t] = level + noise[t - from];
  },
};

/** Steps of a piece of each kind. */
function stepsOfPiece(kind: AnomalyKind, period: number, steps: number, rng: Rng): number {
  const most = Math.floor(0.08 * steps);
  if (kind === 'spikes') return 1 + rng.int(3);
  if (kind === 'cycle') return Math.min(Math.max(Math.round(period * between(rng, 0.6, 2)), 8), most);
  return Math.min(Math.max(Math.round(period * between(rng, 0.3, 4)), 10), most);
}

/**
 * Plants pieces of one kind into a copy of a series `[T]`, T at least 500, behind its first share and with room between them: one
 * to three, of spikes one to eight. A third of the series has labels that are wider than the change, as people mark them.
 */
export function plant(
  series: { readonly id: string; readonly family: string; readonly values: Float64Array; readonly period: number },
  anomaly: AnomalyKind,
  rng: Rng,
  behind = 0.2,
): LabelledSeries {
  const x = series.values.slice();
  const n = x.length;
  let mean = 0;
  let squares = 0;
  for (const value of x) mean += value / n;
  for (const value of x) squares += (value - mean) ** 2 / n;
  const labels = new Uint8Array(n);
  const pieces = 1 + rng.int(anomaly === 'spikes' ? 8 : 3);
  const isWide = rng.uniform() < 1 / 3;
  const first = Math.floor(behind * n);
  const room = Math.floor((n - first) / pieces);
  for (let i = 0; i < pieces; i++) {
    const steps = Math.min(stepsOfPiece(anomaly, series.period, n, rng), Math.floor(room / 2));
    const margin = isWide
      ? Math.min(Math.round(between(rng, 0.5, 1.5) * Math.max(steps, 10)), Math.floor(room / 5))
      : 0;
    const from = first + i * room + margin + rng.int(Math.max(room - steps - 2 * margin, 1));
    changes[anomaly]({ x, from, to: from + steps, period: series.period, std: Math.sqrt(squares), rng });
    labels.fill(1, from - margin, Math.min(from + steps + margin, n));
  }
  return { id: series.id, family: series.family, anomaly, values: x, labels };
}
